"""The native core: built where there is a C++ compiler, left out where there is none; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import Extension, setup

FOLDER = Path("src/polytag/native")

setup(
    ext_modules=[
        Extension(
            "polytag.native.core",
            sources=sorted(map(str, FOLDER.glob("*.cpp"))),
            depends=sorted(map(str, FOLDER.glob("*.h"))),
            language="c++",
            extra_compile_args=["-O3", "-std=c++17", "-fopenmp", "-fno-trapping-math", "-fno-math-errno"],
            extra_link_args=["-fopenmp"],
            optional=True,
        )
    ]
)
