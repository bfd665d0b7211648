#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#define MANY_REGISTERS
#include "native.h"
#include "vector_avx512.h"

namespace {
#include "scan.h"
}

extern const Kernels AVX512 = {forward, backward};
