from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.youtube import YouTube

PLATFORM = YouTube()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("youtube")


class TestYouTube(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
