from ayrshare_contract import AyrshareContract, account_for, samples

from archiver_ayrshare.linkedin import LinkedIn

PLATFORM = LinkedIn()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("linkedin")


class TestLinkedIn(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES
