// What this processor and its operating system can do.
#include "native.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__)
namespace {

struct Registers {
    unsigned eax, ebx, ecx, edx;
};

// All 0 where the processor does not know the leaf.
Registers cpuid(unsigned leaf, unsigned subleaf) {
    Registers r = {};
    if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
    return r;
}

bool bit(unsigned bits, int place) { return bits >> place & 1; }

// Whether the operating system keeps the registers of these bits of XCR0.
bool keeps(unsigned registers) {
    if (!bit(cpuid(1, 0).ecx, 27)) return false;  // OSXSAVE
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & registers) == registers;
}

constexpr unsigned YMM = 6;
#if defined(__APPLE__)
constexpr unsigned ZMM = YMM;  // macOS keeps the rest from when it is first used, and says so only then
#else
constexpr unsigned ZMM = YMM | 0xe0;
#endif
constexpr unsigned TILES = ZMM | 3u << 17;

// AMX keeps so much state that Linux wants to be asked (arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
bool tiles_allowed() {
#if defined(__linux__) && defined(SYS_arch_prctl)
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
    return false;
#endif
}

}  // namespace

bool has_avx2() { return keeps(YMM) && bit(cpuid(1, 0).ecx, 12) && bit(cpuid(7, 0).ebx, 5); }  // FMA too

bool has_avx_vnni() {
#if defined(POLYTAG_TEST_AVX_VNNI)  // avx_vnni.cpp was compiled to AVX-512's encoding
    return has_avx512_vnni();
#else
    return has_avx2() && bit(cpuid(7, 1).eax, 4);
#endif
}

bool has_avx512() {
    const unsigned bits = cpuid(7, 0).ebx;
    return has_avx2() && keeps(ZMM) && bit(bits, 16) && bit(bits, 17) && bit(bits, 30) && bit(bits, 31);  // F, DQ, BW, VL
}

bool has_avx512_vnni() { return has_avx512() && bit(cpuid(7, 0).ecx, 11); }

bool has_avx512_bfloat16() { return has_avx512_vnni() && bit(cpuid(7, 1).eax, 5); }

bool has_amx() {
    const unsigned bits = cpuid(7, 0).edx;
    return has_avx512_bfloat16() && bit(bits, 22) && bit(bits, 24) && bit(bits, 25) && keeps(TILES) && tiles_allowed();
}

bool is_amd() {
    const Registers r = cpuid(0, 0);
    return r.ebx == 0x68747541 && r.edx == 0x69746e65 && r.ecx == 0x444d4163;  // AuthenticAMD
}
#endif

bool has_neon_dot() {
#if defined(__aarch64__) && defined(__APPLE__)
    return true;  // since the first of Apple's own
#elif defined(__aarch64__) && defined(__linux__)
    return getauxval(AT_HWCAP) >> 20 & 1;  // HWCAP_ASIMDDP
#else
    return false;
#endif
}
