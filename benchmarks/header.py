"""What every benchmark prints first: the machine and the versions that its figures depend on."""

import platform
from importlib.metadata import version
from pathlib import Path


def print_header(*packages: str, settings: str, measure: str) -> None:
    """Print the machine, the versions of Python and `packages`, the settings and what is measured."""
    versions = [f"{package} {version(package)}" for package in packages]
    print(f"processor  {processor()}, {platform.system()} {platform.machine()}")
    print(f"versions   {', '.join([f'Python {platform.python_version()}', *versions])}")
    print(f"settings   {settings}")
    print(f"measure    {measure}\n")


def processor() -> str:
    """Name the processor and count its cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else platform.processor() or "unknown processor"
