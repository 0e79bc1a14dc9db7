from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.threads import Threads

PLATFORM = Threads()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("threads")


class TestThreads(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
