// The viewer: zoom, pan, swipe, and the way back. Without script it is a page with links.
{
  const isPlain = (event) =>
    !(event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const opened = "archiver-viewer";

  // A page that opens the viewer says so: closing then leads back to the very place.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !isPlain(event) || document.querySelector(".stage")) return;
    if (/\/-\/gallery\/\d+$/.test(link.pathname)) sessionStorage.setItem(opened, link.href);
  });

  const stage = document.querySelector(".stage");
  if (stage) {
    if (sessionStorage.getItem(opened) === location.href) history.replaceState({ opened }, "");
    sessionStorage.removeItem(opened);
    const info = document.getElementById("info");
    const find = (key) => stage.querySelector(`a[data-key="${key}"]`);
    const go = (link) => link && location.replace(link.href); // turning leaves no trace in the history

    stage.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-key]");
      if (!link || !isPlain(event)) return;
      event.preventDefault();
      if (link.dataset.key === "i") toggleInfo();
      else if (link.dataset.key === "Escape" && history.state?.opened === opened) history.back();
      else go(link);
    });
    const toggleInfo = () => {
      const isShown = scrollY > innerHeight / 4;
      (isShown ? stage : info).scrollIntoView();
      (isShown ? find("i") : info).focus({ preventScroll: true });
    };

    addEventListener("load", () => {
      for (const link of stage.querySelectorAll("[data-ahead]")) new Image().src = link.dataset.ahead;
    });

    const sheet = stage.querySelector(".sheet");
    const picture = sheet.querySelector("img");
    const zoom = { scale: 1, x: 0, y: 0 };
    const most = () => Math.max(4, (2 * picture.naturalWidth) / (picture.clientWidth || 1));
    const show = () => {
      const { clientWidth, clientHeight } = picture;
      const room = (size, whole) => Math.max(0, (size * zoom.scale - whole) / 2);
      const [right, down] = [room(clientWidth, sheet.clientWidth), room(clientHeight, sheet.clientHeight)];
      zoom.x = Math.min(right, Math.max(-right, zoom.x));
      zoom.y = Math.min(down, Math.max(-down, zoom.y));
      picture.style.transform = `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})`;
      sheet.classList.toggle("zoomed", zoom.scale > 1);
    };
    // What is under the point stays under it; without a point, what is in the middle.
    const zoomTo = (scale, point) => {
      const wanted = Math.min(most(), Math.max(1, scale));
      const box = sheet.getBoundingClientRect();
      const px = (point ? point.clientX : box.left + box.width / 2) - box.left - box.width / 2;
      const py = (point ? point.clientY : box.top + box.height / 2) - box.top - box.height / 2;
      zoom.x = px - ((px - zoom.x) * wanted) / zoom.scale;
      zoom.y = py - ((py - zoom.y) * wanted) / zoom.scale;
      zoom.scale = wanted;
      show();
    };
    const toggle = (point) => {
      const full = picture.naturalWidth / (picture.clientWidth || 1);
      zoomTo(zoom.scale > 1 ? 1 : Math.min(most(), Math.max(2, full)), point);
    };

    if (picture) {
      sheet.classList.add("lively");
      picture.draggable = false;
      sheet.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoomTo(zoom.scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), event);
      }, { passive: false });
      sheet.addEventListener("dblclick", toggle);
      stage.querySelector(".zoom").addEventListener("click", (event) => {
        if (!isPlain(event)) return;
        event.preventDefault();
        toggle();
      });
      addEventListener("resize", () => zoomTo(1));
    }

    // One finger turns the page, or moves a picture that is enlarged; two fingers enlarge.
    const fingers = new Map();
    let swipe = null;
    let pinch = null;
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return {
        length: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1,
        clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2,
      };
    };
    sheet.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("video, audio, a")) return;
      sheet.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
      swipe = fingers.size === 1 ? { clientX: event.clientX, clientY: event.clientY } : null;
      pinch = fingers.size === 2 && picture ? { ...spread(), scale: zoom.scale } : null;
    });
    sheet.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      fingers.set(event.pointerId, event);
      if (pinch && fingers.size === 2) {
        const now = spread();
        zoomTo((pinch.scale * now.length) / pinch.length, now);
      } else if (picture && zoom.scale > 1) {
        zoom.x += event.clientX - before.clientX;
        zoom.y += event.clientY - before.clientY;
        show();
      } else if (picture && swipe) {
        picture.style.transform = `translateX(${event.clientX - swipe.clientX}px)`;
      }
    });
    const lift = (event) => {
      if (!fingers.delete(event.pointerId)) return;
      const start = swipe;
      swipe = null;
      pinch = null;
      if (!start || zoom.scale > 1) return;
      const [dx, dy] = [event.clientX - start.clientX, event.clientY - start.clientY];
      if (picture) show();
      if (event.type === "pointercancel") return;
      if (Math.abs(dx) > 60 && Math.abs(dx) > 1.5 * Math.abs(dy)) go(find(dx < 0 ? "ArrowRight" : "ArrowLeft"));
      else if (dy > 120 && dy > 1.5 * Math.abs(dx)) find("Escape").click();
    };
    sheet.addEventListener("pointerup", lift);
    sheet.addEventListener("pointercancel", lift);

    const moves = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
    addEventListener("keydown", (event) => {
      if (!picture || event.ctrlKey || event.metaKey || event.altKey) return;
      const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 }[event.key];
      const move = zoom.scale > 1 && !event.shiftKey && moves[event.key];
      if (factor) zoomTo(zoom.scale * factor);
      else if (event.key === "0") zoomTo(1);
      else if (move) {
        zoom.x += move[0];
        zoom.y += move[1];
        show();
      } else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
  }
}
