/* Whole quotients and what they leave, and powers: of integers some have no result. */
#include "gpu/elements.cuh"
#include "gpu/fault.cuh"
#include "gpu/walk.cuh"

OVERLOAD2_REALS(pow_of)
OVERLOAD2_INTS(floor_divide_of)
OVERLOAD2_INTS(remainder_of)
OVERLOAD2_INTS(fmod_of)
OVERLOAD2_REALS(trunc_divide_of)
OVERLOAD2(uint8_t, float, f32, is_far)
OVERLOAD2(uint8_t, double, f64, is_far)
OVERLOAD2_FLOATS(remainder_near)
OVERLOAD2_FLOATS(remainder_any)
OVERLOAD2_FLOATS(floor_divide_near)
OVERLOAD2_FLOATS(floor_divide_any)
OVERLOAD2_FLOATS(fmod_near)
OVERLOAD2_FLOATS(fmod_any)
OVERLOAD1_FLOATS(f_sqrt)

FUNCTION2(Pow, pow_of)
FUNCTION2(TruncDivide, trunc_divide_of)

namespace {

struct FloorDivide {
    template <class T> __device__ T operator()(T a, T b) const {
        return is_far(a, b) ? floor_divide_any(a, b) : floor_divide_near(a, b);
    }
};

struct Remainder {
    template <class T> __device__ T operator()(T a, T b) const {
        return is_far(a, b) ? remainder_any(a, b) : remainder_near(a, b);
    }
};

struct Fmod {
    template <class T> __device__ T operator()(T a, T b) const {
        return is_far(a, b) ? fmod_any(a, b) : fmod_near(a, b);
    }
};

/* Integers: an other that has no result is reported. */
enum IntDivision { FLOOR_DIVIDE, TRUNC_DIVIDE, REMAINDER, FMOD, POWER };

struct Whole {
    GpuFaultSite site;
    IntDivision what;
    __device__ int64_t operator()(int64_t a, int64_t b) const {
        if (what == POWER ? b < 0 : b == 0) {
            fault_report(site, FAULT_TEXT, 0, 0, 0);
        }
        switch (what) {
        case FLOOR_DIVIDE: return floor_divide_of(a, b);
        case TRUNC_DIVIDE: return trunc_divide_of(a, b);
        case REMAINDER: return remainder_of(a, b);
        case FMOD: return fmod_of(a, b);
        default: return pow_of(a, b);
        }
    }
};

} // namespace

static const char *const zero_divisor =
    "other has a 0, and integers cannot be divided by it; convert to float";
static const char *const negative_power =
    "integers cannot have negative powers; convert input to float";

/* Floats by F, integers by what, which reports what has no result with that sentence. */
template <class F>
static bool reporting(const KernelCall *c, IntDivision what, const char *sentence) {
    if (dtype_is_float(c->out[0].dtype)) {
        return of_two_floats<F>(c);
    }
    return zip_ints(c, Whole{gpu_fault_site(c, sentence, NULL), what});
}

static bool floor_divide(const KernelCall *c) {
    return reporting<FloorDivide>(c, FLOOR_DIVIDE, zero_divisor);
}

static bool remainder_rows(const KernelCall *c) {
    return reporting<Remainder>(c, REMAINDER, zero_divisor);
}

static bool fmod_rows(const KernelCall *c) { return reporting<Fmod>(c, FMOD, zero_divisor); }

static bool div_rounding(const KernelCall *c) {
    return strcmp(c->arg[2].s, "floor") == 0
               ? floor_divide(c)
               : reporting<TruncDivide>(c, TRUNC_DIVIDE, zero_divisor);
}

namespace {

/* Powers that are exact or cheaper without a logarithm. */
struct SimplePower {
    double exponent;
    template <class M> __device__ M operator()(M x) const {
        return exponent == 2    ? x * x
               : exponent == 3  ? x * x * x
               : exponent == 1  ? x
               : exponent == -1 ? 1 / x
                                : f_sqrt(x);
    }
};

} // namespace

/* Whether other is one number, known to the host, with a simple power. */
static bool is_simple(const KernelCall *c, double *exponent) {
    const View *other = &c->in[1];
    if (!is_on_host(c, other) || !dtype_is_float(other->dtype)) {
        return false;
    }
    Bits128 number = number_of(other->data, other->dtype);
    *exponent = other->dtype == DT_FLOAT64 ? number_as<double>(number) : number_as<float>(number);
    return *exponent == 2 || *exponent == 3 || *exponent == 1 || *exponent == -1 ||
           *exponent == 0.5;
}

static bool pow_rows(const KernelCall *c) {
    double exponent;
    if (is_simple(c, &exponent)) {
        return map_floats(c, SimplePower{exponent});
    }
    return reporting<Pow>(c, POWER, negative_power);
}

const KernelRow gpu_divide_rows[] = {{"floor_divide", floor_divide},
                                     {"remainder", remainder_rows},
                                     {"fmod", fmod_rows},
                                     {"div__rounding", div_rounding},
                                     {"pow", pow_rows},
                                     {NULL, NULL}};
