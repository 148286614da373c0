"""Lease of a GPU: one device for one process, by a lock that the kernel frees even on SIGKILL.

Snakemake counts GPUs but tells no job which one is its own, so jobs that start together would all take the
first. A lease takes a free device, waits while there is none, and keeps it as long as the process lives.

The lock is a file named after the device's UUID, because an index means another device in another process
(CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER, MIG). All users of a node share the folder of the locks.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

# Not tempfile.gettempdir(): TMPDIR differs between users and batch jobs, and all of them must meet here.
SHARED_FOLDER = Path("/tmp/maskaae-gpu-leases")
REMINDER_SECONDS = 60.0

CUDA_SUCCESS = 0
CUDA_ERROR_NO_DEVICE = 100


@dataclass(frozen=True)
class Lease:
    """A device that belongs to this process until the lease ends."""

    device: str  # for torch.device: "cuda:0" (rarely another index, see `lease_device`) or "cpu"
    uuid: str | None  # the driver's name of the device or MIG instance; None on the CPU


@contextmanager
def lease_device(
    slots: int = 1,
    devices: Sequence[str] | None = None,
    folder: Path | None = None,
    timeout: float | None = None,
    poll_interval: float = 1.0,
) -> Iterator[Lease]:
    """Hold a free GPU, or the CPU where there is no GPU.

    CUDA_VISIBLE_DEVICES is then set to the leased device for this process and its children, and stays so: the
    driver reads it once. Where the driver was started before, nothing is set and ``Lease.device`` carries
    the device's index.

    Parameters
    ----------
    slots : int
        Leases allowed on one device at a time. It describes the node, so all its jobs should agree:
        a device with jobs of different values takes as many leases as the largest.
    devices : sequence of str, optional
        UUIDs to choose from, in CUDA's order; by default all that CUDA shows (`visible_devices`).
    folder : Path, optional
        Folder of the locks, by default ``SHARED_FOLDER``. It must be on this node, not on a network.
    timeout : float, optional
        Seconds to wait for a device; by default without end.
    poll_interval : float
        Mean seconds between two looks at the locks.

    Raises
    ------
    ValueError
        If ``slots`` is below one.
    TimeoutError
        If no device became free in ``timeout`` seconds.
    PermissionError
        If the locks cannot be opened.
    """
    if slots < 1:
        raise ValueError(f"slots must be at least 1, the number of leases on one GPU; got {slots}")
    names = visible_devices() if devices is None else list(devices)
    if not names:
        yield Lease("cpu", None)
        return
    with _kept_folder(SHARED_FOLDER if folder is None else folder) as locks:
        name, lock = _wait_for_lock(locks, names, slots, timeout, poll_interval)
        try:
            yield Lease(_claim(name, names), name)
        finally:
            lock.release()


def visible_devices() -> list[str]:
    """UUIDs of the GPUs and MIG instances that CUDA shows this process, in CUDA's order; empty without GPU.

    The driver itself is asked, since only it knows what an entry of CUDA_VISIBLE_DEVICES means. It reads
    the variable once, at its start: it is started in a child process unless it already runs in this one.
    """
    driver = _load_driver()
    if driver is None:
        return []
    if _is_started(driver):
        return _ask_driver(driver)
    answer = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        logger.warning("no GPU can be used: %s", answer.stderr.strip().splitlines()[-1])
    return answer.stdout.split()


def _wait_for_lock(
    folder: Path, names: Sequence[str], slots: int, timeout: float | None, poll_interval: float
) -> tuple[str, FileLock]:
    """Return a device with its lock as soon as one is free."""
    # Unseeded on purpose: waiting processes must look at different moments and in different orders, otherwise
    # one of them could always come second. No number of a result depends on it.
    chance = random.Random()
    start = time.monotonic()
    next_reminder = 0.0
    while (taken := _take_free(folder, names, slots, chance)) is None:
        waited = time.monotonic() - start
        if timeout is not None and waited >= timeout:
            raise TimeoutError(f"no GPU became free in {timeout:g} s: {slots} lease(s) on each of {names}")
        if waited >= next_reminder:
            logger.warning("all %d GPU(s) are leased, waiting for one (%.0f s so far)", len(names), waited)
            next_reminder = waited + REMINDER_SECONDS
        time.sleep(poll_interval * chance.uniform(0.5, 1.5))
    logger.info("leased GPU %s after %.1f s", taken[0], time.monotonic() - start)
    return taken


def _take_free(
    folder: Path, names: Sequence[str], slots: int, chance: random.Random
) -> tuple[str, FileLock] | None:
    """Try every place once: the emptiest slots of all devices first, so that devices fill evenly."""
    for slot in range(slots):
        for name in chance.sample(names, len(names)):
            path = folder / f"{name}.{slot}.lock"
            _make_shared_file(path)
            # A lock without the kernel (fallback_to_soft) would outlive a killed process.
            lock = FileLock(path, blocking=False, thread_local=False, fallback_to_soft=False)
            try:
                lock.acquire()
            except Timeout:
                continue
            return name, lock
    return None


def _claim(name: str, names: Sequence[str]) -> str:
    """Make the leased device this process's own and return its name for torch."""
    driver = _load_driver()
    if driver is not None and _is_started(driver):
        return f"cuda:{list(names).index(name)}"
    os.environ["CUDA_VISIBLE_DEVICES"] = name
    return "cuda:0"


@contextmanager
def _kept_folder(folder: Path) -> Iterator[Path]:
    """Make the folder for all users, and keep its files from being cleaned away while they are in use."""
    if not folder.exists():
        # Renamed into place complete, so that no other user meets it half made.
        fresh = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
        fresh.chmod(0o1777)
        try:
            fresh.rename(folder)
        except OSError:  # another process was first
            fresh.rmdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # systemd-tmpfiles leaves old files alone in a folder with a shared lock on it.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(descriptor)


def _make_shared_file(path: Path) -> None:
    """Make an empty file that every user may lock, in one step, unless it is there."""
    if path.exists():
        return
    descriptor, fresh = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    os.fchmod(descriptor, 0o666)
    os.close(descriptor)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        Path(fresh).unlink()


def _load_driver() -> ctypes.CDLL | None:
    """Return the CUDA driver's library, or None on a machine without one."""
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None


def _is_started(driver: ctypes.CDLL) -> bool:
    """Whether this process has started the driver, so that CUDA_VISIBLE_DEVICES has been read."""
    return driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int())) in {CUDA_SUCCESS, CUDA_ERROR_NO_DEVICE}


def _ask_driver(driver: ctypes.CDLL) -> list[str]:
    """UUIDs of all devices of a driver, which is started if it does not run."""
    status = driver.cuInit(0)
    if status == CUDA_ERROR_NO_DEVICE:
        return []
    if status != CUDA_SUCCESS:
        raise RuntimeError(f"the CUDA driver does not start (cuInit returns error {status})")
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    return [_device_uuid(driver, index) for index in range(count.value)]


def _device_uuid(driver: ctypes.CDLL, index: int) -> str:
    """UUID of a device, spelt as CUDA_VISIBLE_DEVICES takes it."""
    device = ctypes.c_int()
    driver.cuDeviceGet(ctypes.byref(device), index)
    gpu, instance = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
    driver.cuDeviceGetUuid(gpu, device)
    driver.cuDeviceGetUuid_v2(instance, device)
    # Only the second form knows of MIG: it names the instance where the first names the whole GPU.
    prefix = "GPU" if gpu.raw == instance.raw else "MIG"
    return f"{prefix}-{UUID(bytes=instance.raw)}"


if __name__ == "__main__":  # the child process of `visible_devices`
    library = _load_driver()
    print("\n".join(_ask_driver(library) if library is not None else []))
