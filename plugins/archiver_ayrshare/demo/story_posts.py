"""What the studio of the demo has published: three friends who make pots, in three cities.

Mariana throws in Lisbon, Haruka glazes in Osaka, Youssef fires in Alexandria.
"""

from datetime import timedelta

from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import gif, link, photo, video
from archiver_ayrshare.demo.story_data import (
    DELETED,
    FIRST_LIGHT,
    HARBOUR,
    LOST,
    MIXED,
    REEL,
    TILES,
    TYPO,
    days,
    poster,
)


def bluesky(account: WorldAccount) -> None:
    """Posts, a video that is given as a playlist only, a reply, a quote and a link."""
    world = account.world
    text = "Hello from the kiln room. We are three people, two wheels and one very old oven."
    account.publish(text, at=days(world, 41, 18, 5), media=[FIRST_LIGHT])
    question = account.publish(
        "A question for everyone who glazes: tin white over iron red, or under? We have been "
        "arguing since breakfast.",
        at=days(world, 12, 10, 30),
        media=[video("white over red", scene="pot", size=(640, 360), alt="Glaze, poured twice")],
    )
    account.publish(
        "Update: under. Youssef was right. It has been noted.",
        kind="reply",
        at=days(world, 12, 17, 44),
        reply_to=question.id,
    )
    account.publish(
        "今朝の大阪は雨。乾くのに三日かかりそうです。☔️",
        at=days(world, 8, 7, 12),
        media=[photo("osaka rain", scene="night", size=(720, 900), alt="雨の夜の大阪")],
    )
    account.publish(
        "Exactly this. Buy the mug from the person who made the mug.",
        kind="quote",
        at=days(world, 5, 20, 1),
        quotes="at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3lb2k5nxgxs2e",
    )
    account.publish(
        "We wrote down how we mix the blue, mistakes included.",
        at=days(world, 2, 12, 0),
        media=[
            link(
                "https://mare.example/notes/blue",
                title="How we mix the blue",
                label="notes on blue",
                scene="leaves",
            )
        ],
    )


def facebook(account: WorldAccount) -> None:
    """A page with a shop: announcements, a video, a link, a visitor, a story."""
    world = account.world
    account.publish(TYPO, at=days(world, 1, 19, 20), media=[HARBOUR])
    account.publish(
        "Open studio this Saturday, 10 to 18. Coffee is on us, clay is on everything.",
        at=days(world, 4, 9, 0),
        media=[poster("Open studio/Saturday", "open studio"), TILES, FIRST_LIGHT],
    )
    account.publish(
        "How a handle is pulled, in one breath.",
        at=days(world, 9, 16, 45),
        media=[video("handle", scene="pot", size=(640, 360), duration_ms=2000)],
    )
    account.publish(
        "A long and kind article about the three of us. Thank you, Rua Augusta Magazine!",
        at=days(world, 15, 11, 10),
        media=[
            link(
                "https://magazine.example/three-cities-one-glaze",
                title="Three cities, one glaze",
                label="magazine",
                scene="night",
            )
        ],
        older_form=True,
    )
    account.publish(
        "Aula para principiantes: ainda há dois lugares em março. Traga roupa velha. 🧡",
        at=days(world, 21, 18, 30),
    )
    account.publish(
        "I still drink from the cup I bought here in 2019. Not one chip!",
        at=days(world, 23, 8, 15),
        visitor=True,
    )
    account.publish(
        "Worth sharing: the potters of Nazaré need a roof.",
        at=days(world, 30, 20, 0),
        shares="5764771300200609_742258953848744",
    )
    account.publish(
        kind="story",
        at=world.now() - timedelta(hours=5),
        media=[photo("story shelf", scene="pot", size=(540, 960))],
    )


def instagram(account: WorldAccount) -> None:
    """Pictures, a carousel with an omitted child, an omitted reel, a story."""
    world = account.world
    account.publish(
        "First light on the first pot of the year.", at=days(world, 40, 8, 0), media=[FIRST_LIGHT]
    )
    account.publish(
        "釉薬の実験、九十六枚目。あと四枚で百枚になります。 #陶芸 #釉薬",
        at=days(world, 18, 13, 20),
        media=[TILES],
    )
    mixed = account.publish(
        MIXED,
        at=days(world, 10, 17, 5),
        media=[
            photo("lisboa", scene="hills", size=(800, 1000)),
            video("glaze pour", scene="pot", size=(640, 800)),
            photo("alexandria", scene="sea", size=(800, 1000)),
            photo("osaka", scene="night", size=(800, 1000)),
        ],
    )
    mixed.withhold(child=1)
    reel = account.publish(
        REEL,
        kind="reel",
        at=days(world, 6, 19, 30),
        media=[video("forty bowls", scene="tiles", size=(540, 960))],
    )
    reel.withhold()
    account.publish(
        "صباح الخير من المرسم. القهوة جاهزة والطين أيضًا. ☕️",
        at=days(world, 3, 6, 50),
        media=[photo("coffee", scene="leaves", size=(900, 720))],
        older_form=True,
    )
    account.publish(
        kind="story",
        at=world.now() - timedelta(hours=3),
        media=[photo("story kiln", scene="poster:1 240 °C/and rising", size=(540, 960))],
    )
    pinned = account.publish(
        "Start here: who we are, where we are, and how to order. 📌",
        at=days(world, 90, 12, 0),
        media=[poster("Three friends,/one kiln", "start here")],
    )
    pinned.pin()


def linkedin(account: WorldAccount) -> None:
    """News for customers; the address of one picture answers 404."""
    world = account.world
    lost = account.publish(
        LOST, at=days(world, 7, 9, 30), media=[photo("workbench", scene="hills", size=(960, 540))]
    )
    lost.lose_media()
    account.publish(
        "In 2025 we shipped 3 112 pieces to 41 countries, and broke 19 on the way. The 19 taught "
        "us more than the others. A short thread on packing, in the comments.",
        at=days(world, 25, 8, 0),
        media=[
            poster("3 112 shipped/19 broken", "numbers"),
            photo("boxes", scene="tiles", size=(960, 540)),
        ],
    )
    account.publish(
        "我们的新窑比旧窑节省百分之三十的能源。感谢所有提出建议的人。",
        at=days(world, 33, 10, 15),
        older_form=True,
    )
    account.publish(
        "How the new kiln was lifted through a window that was two centimetres too small.",
        at=days(world, 52, 14, 0),
        media=[video("the window", scene="night")],
    )
    account.publish(
        "Thank you to our first hundred customers. You know who you are.",
        at=days(world, 60, 9, 0),
        visibility="CONNECTIONS",
    )


def pinterest(account: WorldAccount) -> None:
    """Pins of one board: pictures, a GIF, a PNG, a WebP, the covers of videos."""
    world = account.world
    board = "955255839651522358"
    account.publish(
        "Shapes for slow mornings.",
        title="Morning cups",
        at=days(world, 14, 15, 0),
        board=board,
        note="for the spring list",
        link="https://mare.example/shop/cups",
        media=[
            photo(
                "morning cups", scene="pot", size=(600, 900), file_type="png", alt="A tall blue cup"
            )
        ],
    )
    account.publish(
        "It bounces. We do not know why it makes us so happy.",
        title="Bouncing glaze ball",
        at=days(world, 16, 11, 11),
        media=[gif("bouncing")],
    )
    account.publish(
        "Leaves we press into wet clay.",
        at=days(world, 27, 17, 40),
        media=[
            photo("fern", scene="leaves", size=(600, 900)),
            photo("olive", scene="leaves", size=(600, 900)),
            video("pressing", scene="leaves", size=(640, 360), duration_ms=19_600),
        ],
    )
    account.publish(
        "Trimming a foot ring.",
        title="Foot ring",
        at=days(world, 35, 9, 25),
        media=[video("foot ring", scene="pot", size=(640, 960), duration_ms=6416)],
    )
    account.publish(
        " ",
        at=days(world, 44, 20, 20),
        media=[
            photo("wall", scene="tiles", size=(720, 720), file_type="webp", alt="A wall of tiles")
        ],
    )


def snapchat(account: WorldAccount) -> None:
    """A story of today, saved stories, and a spotlight."""
    world = account.world
    spec = {
        name: photo(f"snap {name}", scene=scene, size=(360, 640))
        for name, scene in (("today", "hills"), ("wheel", "pot"), ("night", "night"))
    }
    account.publish(kind="story", at=world.now() - timedelta(hours=7), media=[spec["today"]])
    account.publish(
        kind="saved_story",
        title="A day at the wheel 🌀",
        at=days(world, 11, 18, 9),
        media=[spec["wheel"]],
    )
    account.publish(kind="spotlight", at=days(world, 20, 22, 30), media=[spec["night"]])
    account.publish(
        kind="saved_story",
        title="釜開き",
        at=days(world, 38, 9, 9),
        media=[photo("kiln opening", scene="tiles", size=(360, 640))],
    )


def threads(account: WorldAccount) -> None:
    """Questions and answers, in both forms of records that the API has."""
    world = account.world
    poll = account.publish(
        "Help us name the new green:\n🌿 Moss\n🥒 Pickle\n🐸 Frog on holiday\nOne emoji, please.",
        at=days(world, 6, 12, 0),
    )
    account.publish(
        "The frogs have it. 217 to 31. We are printing the labels and we are not sorry. 🐸",
        kind="reply",
        at=days(world, 5, 9, 45),
        reply_to=poll.id,
    )
    account.publish(
        "Alexandria, six in the morning. Youssef says the sea does half of the work.",
        at=days(world, 9, 5, 58),
        media=[HARBOUR],
        older_form=True,
    )
    account.publish(
        "Three tests, one mistake. Can you see which?",
        at=days(world, 13, 15, 30),
        media=[
            photo("test one", scene="pot", size=(720, 720), alt="A pot, glazed evenly"),
            photo("test two", scene="pot", size=(720, 720), alt="A pot with a run on one side"),
            video("test three", scene="pot", size=(640, 360), alt="The third one, turning"),
        ],
        older_form=True,
    )
    account.publish(
        "Please read this before you buy your first wheel.",
        kind="quote",
        at=days(world, 17, 21, 5),
        quotes="18012345678901234",
    )
    account.publish(kind="repost", at=days(world, 19, 8, 8), reposts="18098765432109876")


def tiktok(account: WorldAccount) -> None:
    """Short videos, one of which is flagged."""

    def publish_video(
        text: str, label: str, scene: str, ago: float, hour: int, length: int
    ) -> WorldPost:
        spec = video(label, scene=scene, size=(324, 576), duration_ms=length)
        return account.publish(text, at=days(account.world, ago, hour, 15), media=[spec])

    text = "POV: you said you would only make one more bowl #pottery #fyp"
    publish_video(text, "one more bowl", "pot", 4, 20, 11_332)
    text = "ASMR but it is just Haruka sanding for thirty seconds"
    publish_video(text, "sanding", "hills", 13, 21, 30_120)
    text = "We danced. We apologise to the owner of the song and to our neighbours."
    publish_video(text, "dance", "night", 22, 19, 15_500).withhold()
    publish_video("طريقة صنع الكوب في ثلاث خطوات 🏺", "three steps", "tiles", 29, 17, 21_040)


def twitter(account: WorldAccount) -> None:
    """A video in three bitrates, a GIF, a thread, a quote, a repost, and a post to be deleted."""
    world = account.world
    account.publish(DELETED, at=days(world, 1, 8, 2))
    thread = account.publish(
        "How to send a teapot to Brazil without breaking it: a thread. 🧵 1/2",
        at=days(world, 3, 15, 0),
        media=[poster("This way up", "this way up")],
    )
    account.publish(
        "2/2 Wrap the lid by itself. Wrap the pot by itself. Then wrap your expectations.",
        kind="reply",
        at=days(world, 3, 15, 4),
        reply_to=thread.id,
    )
    account.publish(
        "Forty bowls, one take.",
        at=days(world, 6, 19, 31),
        media=[video("forty bowls x", scene="sea", size=(640, 360), alt="Hands on a wheel")],
    )
    account.publish(
        "Kiln status:", at=days(world, 10, 23, 15), media=[gif("kiln status", scene="night")]
    )
    account.publish(
        "This is the best description of our glaze chemistry so far.",
        kind="quote",
        at=days(world, 16, 12, 30),
        quotes="1556718165828276224",
        older_form=True,
    )
    account.publish(
        "RT @lisboncrafts: Twelve workshops, one map, and most of them have a cat.",
        kind="repost",
        at=days(world, 19, 10, 0),
        reposts="1556718165828270000",
    )
    account.publish(
        "本日の窯出し。青が思ったより深い色になりました。",
        at=days(world, 24, 6, 40),
        media=[FIRST_LIGHT, TILES],
    )
    account.publish(
        "The shop is open, and the long version of how we pack is here: https://t.co/3r6xz4hBnM",
        at=days(world, 45, 9, 0),
        urls=["https://mare.example/notes/packing"],
        media=[video("packing", scene="tiles")],
        older_form=True,
    )


def youtube(account: WorldAccount) -> None:
    """Longer videos, of which the API gives titles and stills only."""

    def upload(ago: float, title: str, text: str, scene: str, visibility: str = "public") -> None:
        still = video(title, scene=scene, size=(480, 270))
        at = days(account.world, ago, 18)
        account.publish(text, title=title, at=at, visibility=visibility, media=[still])

    upload(
        5, "One clay, three kilns", "The same bowl, fired in Lisbon, Osaka, Alexandria.", "hills"
    )
    upload(26, "How we mix the blue", "00:00 Why blue\n02:10 Cobalt\n07:45 Failures", "sea")
    upload(37, "大阪の工房を案内します", "ハルカが工房を案内します。字幕あり。", "night")
    upload(58, "Rehearsal, ignore", "For the three of us.", "poster:Rehearsal", "unlisted")


POSTS_BY_PLATFORM = {
    "bluesky": bluesky,
    "facebook": facebook,
    "instagram": instagram,
    "linkedin": linkedin,
    "pinterest": pinterest,
    "snapchat": snapchat,
    "threads": threads,
    "tiktok": tiktok,
    "twitter": twitter,
    "youtube": youtube,
}
"""The function that publishes the posts of each platform's account."""
