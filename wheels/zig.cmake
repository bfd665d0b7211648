# `zig c++` as the cross compiler of every platform, for CMake. POLYTAG_TARGET names the target, as x86_64-linux-gnu.2.17;
# POLYTAG_ZIG the program, else it is that of the package ziglang, which pyproject.toml asks for where there is a target.
# Both are in the environment, so that CMake's own trial projects see them too.
if(NOT DEFINED ENV{POLYTAG_ZIG})
  set(where "import os, ziglang; print(os.path.dirname(ziglang.__file__), end='')")
  execute_process(COMMAND "${Python_EXECUTABLE}" -c "${where}" OUTPUT_VARIABLE folder COMMAND_ERROR_IS_FATAL ANY)
  find_program(zig zig HINTS "${folder}" NO_DEFAULT_PATH REQUIRED)
  set(ENV{POLYTAG_ZIG} "${zig}")
endif()
set(target "$ENV{POLYTAG_TARGET}")
string(REGEX MATCH "^([^-]+)-([^-.]+)" _ "${target}")
set(CMAKE_SYSTEM_PROCESSOR "${CMAKE_MATCH_1}")
set(systems_linux Linux)
set(systems_macos Darwin)
set(systems_windows Windows)
set(CMAKE_SYSTEM_NAME "${systems_${CMAKE_MATCH_2}}")

set(CMAKE_CXX_COMPILER "$ENV{POLYTAG_ZIG}" c++)
set(CMAKE_CXX_COMPILER_TARGET "${target}")
# Stripped by the linker, since programs of this machine cannot strip them all. zig compiles its C++ library for each set of
# such flags, so CMake's trials get the same ones: that takes a minute of two cores per platform.
set(CMAKE_TRY_COMPILE_CONFIGURATION Release)
set(CMAKE_EXE_LINKER_FLAGS_INIT -s)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
set(CMAKE_INSTALL_NAME_TOOL /bin/true)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
