"""The native core: built where there is a C++ compiler, left out where there is none; all else is in pyproject.toml."""

import platform
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("src/polytag/native")
LIBRARY = {"win32": "core.dll", "darwin": "core.dylib"}.get(sys.platform, "core.so")
AVX2 = ["-mavx2", "-mfma"]
AVX512 = [*AVX2, "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq"]
LOW = [*AVX512, "-mavx512bf16", "-mavx512vnni"]
X86 = {
    "avx2.cpp": AVX2,
    "avx_vnni.cpp": [*AVX2, "-mavxvnni"],
    "avx512.cpp": AVX512,
    "avx512_low.cpp": LOW,
    "amx.cpp": [*LOW, "-mamx-tile", "-mamx-bf16", "-mamx-int8"],
}
ARM = {"neon_dot.cpp": ["-march=armv8.2-a+dotprod"]}
FLAGS = {"x86_64": X86, "AMD64": X86, "aarch64": ARM, "arm64": ARM}.get(platform.machine(), {})


class Build(build_ext):
    """Each file with the flags that native.h names, into a library that belongs to no version of Python."""

    def get_ext_filename(self, fullname: str) -> str:
        return str(Path(*fullname.split(".")).with_name(LIBRARY))

    def build_extension(self, ext: Extension) -> None:
        compile_one = self.compiler._compile

        def with_flags(obj: str, src: str, of: str, cc_args: list[str], postargs: list[str], pp_opts: list[str]) -> Any:
            return compile_one(obj, src, of, cc_args, [*postargs, *FLAGS.get(Path(src).name, [])], pp_opts)

        self.compiler._compile = with_flags
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": Build},
    ext_modules=[
        Extension(
            "polytag.native.core",
            sources=sorted(map(str, FOLDER.glob("*.cpp"))),
            depends=sorted(map(str, FOLDER.glob("*.h"))),
            language="c++",
            extra_compile_args=[
                "-O3", "-std=c++17", "-fno-trapping-math", "-fno-math-errno", "-ffp-contract=off",
                "-fvisibility=hidden",
            ],
            extra_link_args=["-pthread"],
            optional=True,
        )
    ],
)  # fmt: skip
