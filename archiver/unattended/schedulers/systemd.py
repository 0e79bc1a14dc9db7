"""systemd: a hardened service and a timer, of the user or of the system.

Sources: systemd.exec(5), systemd.service(5), systemd.timer(5), systemd.unit(5).
"""

from pathlib import Path

from archiver.unattended.schedulers.job import Job, SchedulePlan

_SYSTEM_FOLDER = Path("/etc/systemd/system")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))

_SERVICE = """\
[Unit]
Description=Back up social media accounts ({name})
{unit}
[Service]
Type=oneshot
{service}ExecStart={command}
# after 3 and 4 the next run retries, 130 is a stop
SuccessExitStatus=3 4 130
KillSignal=SIGINT
TimeoutStopSec=2min
UMask=0077
LimitCORE=0
Environment=PYTHONSAFEPATH=1
Nice=10
IOSchedulingClass=idle

NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""

_OF_SYSTEM = """\
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome={home}
ReadWritePaths={writable}
ProtectProc=invisible
ProcSubset=pid
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""

_TIMER = """\
[Unit]
Description=Back up social media accounts {rhythm} ({name})

[Timer]
OnCalendar=*-*-* {hour}:{minute:02}:00
RandomizedDelaySec=30min
{fixed}# a run that was missed while the machine was off is caught up
Persistent=yes

[Install]
WantedBy=timers.target
"""


def plan(job: Job, home: Path) -> SchedulePlan:
    """The two units of a job.

    A user's manager cannot restrict what is mounted, so a user's service has fewer restrictions.
    """
    is_system = job.user is not None
    folder = _SYSTEM_FOLDER if is_system else home / ".config/systemd/user"
    control = ("systemctl",) if is_system else ("systemctl", "--user")
    timer, service = f"{job.name}.timer", f"{job.name}.service"
    return SchedulePlan(
        files={folder / service: _service(job), folder / timer: _timer(job)},
        start=((*control, "daemon-reload"), (*control, "enable", "--now", timer)),
        stop=((*control, "disable", "--now", timer),),
        after_removal=((*control, "daemon-reload"),),
        show=(*control, "list-timers", "--all", timer),
        logs=f"journalctl {'' if is_system else '--user '}-u {service}",
        remark="" if is_system else
        "It runs while you are logged in. To have it run always: loginctl enable-linger",
    )  # fmt: skip


def _service(job: Job) -> str:
    unit, service = "", ""
    if job.user is not None:
        unit += "Wants=network-online.target\nAfter=network-online.target\n"
        service = f"User={job.user}\n"
    if job.on_mains:
        unit += "ConditionACPower=true\n"
    text = _SERVICE.format(
        name=_escaped(job.name), unit=unit, service=service,
        command=" ".join(quoted(word) for word in job.words),
    )  # fmt: skip
    if job.user is None:
        return text
    paths = (job.config, *job.writable, *map(Path, job.program))
    at_home = any(path.is_relative_to(home) for path in paths for home in _HOMES)
    writable = " ".join(_quoted_path(path) for path in dict.fromkeys(job.writable))
    return text + _OF_SYSTEM.format(home="read-only" if at_home else "yes", writable=writable)


def _timer(job: Job) -> str:
    if job.hour is None:
        fixed = "# another delay on each machine, but always the same, so that an hour is an hour\n"
        return _TIMER.format(
            name=_escaped(job.name), rhythm="every hour", hour="*", minute=job.minute,
            fixed=f"{fixed}FixedRandomDelay=yes\n",
        )  # fmt: skip
    return _TIMER.format(
        name=_escaped(job.name), rhythm="every night", hour=f"{job.hour:02}", minute=job.minute,
        fixed="",
    )  # fmt: skip


def quoted(word: str) -> str:
    """A word of a command line, with `%` and `$` meaning themselves."""
    escaped = _escaped(word.replace("\\", "\\\\").replace('"', '\\"')).replace("$", "$$")
    return f'"{escaped}"' if set(word) & set(" \t\"'\\;") or not word else escaped


def _quoted_path(path: Path) -> str:
    escaped = _escaped(str(path).replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{escaped}"' if set(str(path)) & set(" \t\"'\\") else escaped


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
