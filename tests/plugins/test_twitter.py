from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.twitter import Twitter

PLATFORM = Twitter()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("twitter")


class TestTwitter(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
