from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.facebook import Facebook

PLATFORM = Facebook()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("facebook")


class TestFacebook(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
