from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.instagram import Instagram

PLATFORM = Instagram()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("instagram")


class TestInstagram(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
