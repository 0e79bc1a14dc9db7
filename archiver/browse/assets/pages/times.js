// Times in the reader's own zone; UTC stays at hand as the title, and is what pages say without script.
{
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    timeZoneName: "short",
  });
  const localize = (root) => {
    for (const time of root.querySelectorAll("time[data-zone]")) {
      const moment = new Date(time.dateTime);
      time.removeAttribute("data-zone");
      if (Number.isNaN(moment.getTime())) continue;
      time.title = time.textContent;
      const part = Object.fromEntries(format.formatToParts(moment).map((one) => [one.type, one.value]));
      time.textContent =
        `${part.day} ${part.month} ${part.year}, ${part.hour}:${part.minute} ${part.timeZoneName}`;
    }
  };
  localize(document);
  new MutationObserver((changes) => {
    for (const change of changes) if (change.addedNodes.length) localize(change.target);
  }).observe(document.body, { childList: true, subtree: true });
}
