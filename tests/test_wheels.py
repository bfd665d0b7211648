"""What builds the wheels fits what they are built of; that they are sound, `make wheels` and `make light` show."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from wheels.targets import TARGETS

ROOT = Path(__file__).parent.parent
NATIVE = ROOT / "src" / "polytag" / "native"
CMAKE = (ROOT / "wheels" / "core" / "CMakeLists.txt").read_text(encoding="utf-8")


def test_every_file_that_native_h_gives_flags_gets_some():
    header = (NATIVE / "native.h").read_text(encoding="utf-8").partition("#pragma once")[0]
    with_flags = re.findall(r"^// .* (\w+\.cpp) +(?:-m|the same)", header, re.MULTILINE)
    assert "amx.cpp" in with_flags
    assert {"neon_dot.cpp"} < set(with_flags)
    for name in with_flags:
        assert f"instructions({name} " in CMAKE, name


def test_no_flags_for_files_that_are_not_there():
    for name in re.findall(r"instructions\((\w+\.cpp) ", CMAKE):
        assert (NATIVE / name).exists(), name


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.tag)
def test_a_tag_is_of_the_platform_that_the_compiler_is_told(target):
    systems = {"manylinux": "linux-gnu", "musllinux": "linux-musl", "macosx": "macos", "win": "windows"}
    assert f"-{systems[target.tag.partition('_')[0]]}" in target.zig
    assert target.tag.replace("arm64", "aarch64").replace("amd64", "x86_64").endswith(target.processor)
    if version := re.search(r"\.(\d+)\.(\d+)$", target.zig):
        assert f"_{version[1]}_{version[2]}_" in target.tag


def test_the_recipe_for_a_public_ci_builds_the_same_sdist_and_platforms():
    recipe = yaml.safe_load((ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8"))
    machines = recipe["jobs"]["wheel"]["strategy"]["matrix"]["machine"]
    assert {machine.split("-")[0] for machine in machines} == {"ubuntu", "macos", "windows"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    assert all((ROOT / path).exists() for path in settings["test-sources"])
    assert settings["windows"]["environment"]["POLYTAG_TARGET"] in {target.zig for target in TARGETS}
    assert (ROOT / "wheels" / "core" / settings["windows"]["config-settings"]["cmake.args"].partition("=")[2]).exists()
