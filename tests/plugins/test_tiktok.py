from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.tiktok import TikTok

PLATFORM = TikTok()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("tiktok")


class TestTikTok(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
