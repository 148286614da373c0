"""A real SLURM of one node on this machine: munged, slurmctld and slurmd, with two pretended GPUs.

It needs root on Debian or Ubuntu, no systemd, no cgroups, no database. Everything lives in one folder except
two links in /etc/slurm; every daemon listens on the loopback device only and is a child of the caller.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PACKAGES = ["munge", "slurm-client", "slurmctld", "slurmd"]
SYSTEM_FOLDER = Path("/etc/slurm")
CONTROLLER_PORT = 16917
FOLDER_PREFIX = "slurm-"
GPUS = 2

# Two partitions on one node: a job in `urgent` makes SLURM requeue jobs of `main`.
SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=0
InactiveLimit=0
KillWait=20
MinJobAge=300
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=1
PartitionName=urgent Nodes={host} MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=2
"""


class ClusterUnavailableError(RuntimeError):
    """SLURM cannot be started on this machine; the message says why."""


class Cluster:
    """A one-node SLURM.

    Parameters
    ----------
    folder : Path
        Folder for configuration, state and logs; made if absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = socket.gethostname().split(".")[0]
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Install what is missing, write the configuration and start the daemons.

        Raises
        ------
        ClusterUnavailableError
            If that is not possible here.
        """
        self._check_machine()
        install_packages()
        self._write_configuration()
        socket_file = self.folder / "munge/socket"
        self._spawn(
            "munged",
            "--foreground",
            f"--key-file={self.folder}/munge/key",
            f"--socket={socket_file}",
            f"--seed-file={self.folder}/munge/seed",
            f"--pid-file={self.folder}/munge/pid",
            f"--log-file={self.folder}/munge/log",
        )
        wait_until(socket_file.exists, 10, "munged opens its socket")
        self.start_controller()
        self._spawn("slurmd", "-D")
        wait_until(lambda: self.node_state() == "idle", 30, "the node is idle")

    def stop(self) -> None:
        """Cancel all jobs, end the daemons and take the links away."""
        if "slurmctld" in self._daemons:
            for job in self.jobs():
                self.command("scancel", job)
            wait_until(lambda: not self.jobs(), 60, "all jobs are gone")
        for name in ("slurmd", "slurmctld", "munged"):
            self._end(name)
        for name in ("slurm.conf", "gres.conf"):
            link = SYSTEM_FOLDER / name
            if link.is_symlink() and link.readlink().parent == self.folder:
                link.unlink()

    def start_controller(self) -> None:
        """Start slurmctld and wait until it answers."""
        self._spawn("slurmctld", "-D")
        wait_until(lambda: self.command("scontrol", "ping").returncode == 0, 30, "slurmctld answers")

    def stop_controller(self) -> None:
        """End slurmctld; jobs go on."""
        self._end("slurmctld")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a SLURM command and return what came of it."""
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    def jobs(self, *states: str) -> list[str]:
        """Numbers of the jobs in some states, by default of all that are not finished."""
        choice = ["--states", ",".join(states)] if states else []
        return self.command("squeue", "--noheader", "--format=%A", *choice).stdout.split()

    def device_of(self, job: str) -> str:
        """Index of the GPU that SLURM gave a job."""
        description = self.command("scontrol", "show", "job", "--detail", job).stdout
        return description.partition("GRES=gpu:")[2].partition("IDX:")[2].partition(")")[0]

    def node_state(self) -> str:
        """State of the node in one word."""
        return self.command("sinfo", "--noheader", "--Node", "--partition=main", "--format=%T").stdout.strip()

    def set_node(self, state: str) -> None:
        """Mark the node as DOWN, or RESUME it."""
        answer = self.command("scontrol", "update", f"NodeName={self.host}", f"State={state}", "Reason=test")
        assert answer.returncode == 0, answer.stderr

    def _check_machine(self) -> None:
        if os.geteuid() != 0:
            raise ClusterUnavailableError("starting SLURM needs root")
        for name in ("slurm.conf", "gres.conf"):
            path = SYSTEM_FOLDER / name
            self._remove_leftover(path)
            if path.exists() or path.is_symlink():
                raise ClusterUnavailableError(f"this machine has a SLURM configuration of its own: {path}")
        try:
            address = socket.gethostbyname(self.host)
        except OSError as error:
            raise ClusterUnavailableError(f"the host name {self.host} has no address: {error}") from error
        if not address.startswith("127."):
            raise ClusterUnavailableError(
                f"the host name {self.host} means {address}, not this machine alone"
            )

    def _remove_leftover(self, path: Path) -> None:
        """Take away a link of tests that were killed: into such a folder as theirs, with no munged of it."""
        if not path.is_symlink():
            return
        folder = path.readlink().parent
        ours = folder.parent == self.folder.parent and folder.name.startswith(FOLDER_PREFIX)
        if ours and self.command("pgrep", "--full", str(folder)).returncode != 0:
            path.unlink()

    def _write_configuration(self) -> None:
        for name in ("munge", "state", "spool", "dev"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        devices = [self.folder / f"dev/gpu{index}" for index in range(GPUS)]
        for device in devices:  # slurmd wants device nodes; these are /dev/null under another name
            answer = self.command("mknod", str(device), "c", "1", "3")
            if answer.returncode != 0:
                raise ClusterUnavailableError(f"no device node can be made: {answer.stderr.strip()}")
        values = {"host": self.host, "folder": self.folder, "gpus": GPUS}
        ports = {"port": CONTROLLER_PORT, "node_port": CONTROLLER_PORT + 1}
        (self.folder / "slurm.conf").write_text(SLURM_CONF.format(**values, **ports))
        (self.folder / "gres.conf").write_text(
            "".join(
                f"NodeName={self.host} Name=gpu File={device} Flags=nvidia_gpu_env\n" for device in devices
            )
        )
        # At this place, because the step inside a job is started without SLURM_CONF in its environment.
        SYSTEM_FOLDER.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (SYSTEM_FOLDER / name).symlink_to(self.folder / name)

    def _spawn(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                [name, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _end(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def install_packages() -> None:
    """Install SLURM's packages where they are missing, without starting the services in them."""
    if all(shutil.which(program) for program in ("munged", "slurmctld", "slurmd", "sbatch")):
        return
    if shutil.which("apt-get") is None:
        raise ClusterUnavailableError("SLURM is not installed and there is no apt-get to install it with")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        install = "apt-get install -y --no-install-recommends " + " ".join(PACKAGES)
        answer = subprocess.run(
            ["sh", "-c", f"{install} || {{ apt-get update && {install}; }}"],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        if ours:
            policy.unlink()
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1]
        raise ClusterUnavailableError(f"apt-get cannot install SLURM: {reason}")


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Look at a condition five times a second until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.2)
