from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.snapchat import Snapchat

PLATFORM = Snapchat()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("snapchat")


class TestSnapchat(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
