from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.pinterest import Pinterest

PLATFORM = Pinterest()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("pinterest")


class TestPinterest(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
