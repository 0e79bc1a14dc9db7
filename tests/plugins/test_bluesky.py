from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.bluesky import Bluesky

PLATFORM = Bluesky()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("bluesky")


class TestBluesky(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
