#ifndef TOCHA_FORMULA_SPECIAL_H
#define TOCHA_FORMULA_SPECIAL_H

/* erfinv, sinc, and the modified Bessel functions I0 and I1. */

#include "tensor/formulas/explog.h"
#include "tensor/formulas/trig.h"

/* x times a polynomial in w = -log(1 - x^2), or in its root where w is large. */
TOCHA_HD float f_erfinv_f32(float x) {
    float a = f_abs_f32(x);
    float w = -f_log_f32(f_fma_f32(-a, a, 1.0f) < 0.125f ? (1.0f - a) * (1.0f + a)
                                                         : f_fma_f32(-a, a, 1.0f));
    float t = w - 2.5f, r = f_sqrt_f32(w) - 3.0f;
    float near = 0x1.00d79ap-31f;
    near = f_fma_f32(near, t, -0x1.2c4526p-27f);
    near = f_fma_f32(near, t, 0x1.129bb8p-26f);
    near = f_fma_f32(near, t, 0x1.f3bcf6p-22f);
    near = f_fma_f32(near, t, -0x1.cb7b9ep-19f);
    near = f_fma_f32(near, t, -0x1.4cd6dcp-18f);
    near = f_fma_f32(near, t, 0x1.c9b83ap-13f);
    near = f_fma_f32(near, t, -0x1.486688p-10f);
    near = f_fma_f32(near, t, -0x1.11c3ccp-8f);
    near = f_fma_f32(near, t, 0x1.f91e8cp-3f);
    near = f_fma_f32(near, t, 0x1.805c5cp+0f);
    float far = 0x1.0b565cp-13f;
    far = f_fma_f32(far, r, -0x1.4e5612p-12f);
    far = f_fma_f32(far, r, -0x1.33e522p-14f);
    far = f_fma_f32(far, r, 0x1.8828b2p-10f);
    far = f_fma_f32(far, r, -0x1.d67114p-9f);
    far = f_fma_f32(far, r, 0x1.7472e8p-8f);
    far = f_fma_f32(far, r, -0x1.f49ee8p-8f);
    far = f_fma_f32(far, r, 0x1.35844p-7f);
    far = f_fma_f32(far, r, 0x1.006dc6p+0f);
    far = f_fma_f32(far, r, 0x1.6a9efcp+1f);
    float y = x * (w < 5.0f ? near : far);
    return a == 1.0f ? f_copysign_f32(INFINITY, x) : y;
}

TOCHA_HD double f_erfinv_f64(double x) {
    double a = f_abs_f64(x);
    double w = -f_log_f64((1.0 - a) * (1.0 + a));
    double t = w - 3.125, root = f_sqrt_f64(w);
    double m = root - 3.25, r = root - 5.0;
    double near = -0x1.b2643e45e1856p-72;
    near = f_fma_f64(near, t, 0x1.e2aa7ddd776b6p-69);
    near = f_fma_f64(near, t, 0x1.79a647e43b44ep-66);
    near = f_fma_f64(near, t, -0x1.9a137911c05cfp-62);
    near = f_fma_f64(near, t, 0x1.669b9213d3cdfp-61);
    near = f_fma_f64(near, t, 0x1.1e1f9ee618b29p-56);
    near = f_fma_f64(near, t, -0x1.19ac650194dcap-53);
    near = f_fma_f64(near, t, -0x1.6b6b0fc6a580fp-55);
    near = f_fma_f64(near, t, 0x1.d5e95ecc5f898p-48);
    near = f_fma_f64(near, t, -0x1.6877e8ae70f27p-45);
    near = f_fma_f64(near, t, -0x1.6b86f85109f07p-44);
    near = f_fma_f64(near, t, 0x1.7236b79e1d57ep-39);
    near = f_fma_f64(near, t, -0x1.c8a6afa1550f4p-37);
    near = f_fma_f64(near, t, -0x1.dc3f457145cd3p-35);
    near = f_fma_f64(near, t, 0x1.20f544d62fff1p-30);
    near = f_fma_f64(near, t, -0x1.1a9eb00326b9bp-28);
    near = f_fma_f64(near, t, -0x1.f36ceed4416aep-26);
    near = f_fma_f64(near, t, 0x1.c6b4f8868f532p-22);
    near = f_fma_f64(near, t, -0x1.6e8a53c7ac2ffp-20);
    near = f_fma_f64(near, t, -0x1.d1d1f7c9ffa6dp-17);
    near = f_fma_f64(near, t, 0x1.879c2a20aeb2ep-13);
    near = f_fma_f64(near, t, -0x1.84576948359ddp-11);
    near = f_fma_f64(near, t, -0x1.8b6c33114ea2fp-8);
    near = f_fma_f64(near, t, 0x1.ebd80d9b13dfap-3);
    near = f_fma_f64(near, t, 0x1.a755e7c99ae86p+0);
    double middle = 0x1.07e3c2020286fp-27;
    middle = f_fma_f64(middle, m, -0x1.06f1da245bfd3p-26);
    middle = f_fma_f64(middle, m, -0x1.674f1725daa65p-26);
    middle = f_fma_f64(middle, m, 0x1.1a9484c4d3628p-23);
    middle = f_fma_f64(middle, m, -0x1.079a074d6994p-22);
    middle = f_fma_f64(middle, m, -0x1.da75906425fdap-26);
    middle = f_fma_f64(middle, m, 0x1.8db69feb41fb6p-20);
    middle = f_fma_f64(middle, m, -0x1.0b79e820e8497p-18);
    middle = f_fma_f64(middle, m, 0x1.899aa0e374402p-19);
    middle = f_fma_f64(middle, m, 0x1.a241c6f237f34p-17);
    middle = f_fma_f64(middle, m, -0x1.8cf463501e9ap-15);
    middle = f_fma_f64(middle, m, 0x1.1e6abbe66ca02p-14);
    middle = f_fma_f64(middle, m, 0x1.932e8fd4360edp-16);
    middle = f_fma_f64(middle, m, -0x1.7448bcc8e9aa7p-12);
    middle = f_fma_f64(middle, m, 0x1.f3cc545d9ca81p-11);
    middle = f_fma_f64(middle, m, -0x1.ba9240d8768c3p-10);
    middle = f_fma_f64(middle, m, 0x1.468eeca944c44p-9);
    middle = f_fma_f64(middle, m, -0x1.ebadabba02be5p-9);
    middle = f_fma_f64(middle, m, 0x1.5ffcfe5b6cd38p-8);
    middle = f_fma_f64(middle, m, 0x1.0158a6d641d55p+0);
    middle = f_fma_f64(middle, m, 0x1.8abcc380d5a48p+1);
    double far = 0x1.61eac4086d308p-38;
    far = f_fma_f64(far, r, -0x1.68184d5c944p-36);
    far = f_fma_f64(far, r, 0x1.4b5efb75f7d1fp-36);
    far = f_fma_f64(far, r, 0x1.337cc90f91bdap-34);
    far = f_fma_f64(far, r, -0x1.abd2c01830e37p-32);
    far = f_fma_f64(far, r, 0x1.699080fbc38a4p-30);
    far = f_fma_f64(far, r, -0x1.e4761087eb669p-29);
    far = f_fma_f64(far, r, 0x1.0cc365e09cc2p-27);
    far = f_fma_f64(far, r, -0x1.0579155654168p-26);
    far = f_fma_f64(far, r, 0x1.f287e2e4c7c33p-26);
    far = f_fma_f64(far, r, -0x1.22365bfec563dp-24);
    far = f_fma_f64(far, r, 0x1.ebe32e01b51ep-23);
    far = f_fma_f64(far, r, -0x1.0a903b291e5ccp-20);
    far = f_fma_f64(far, r, 0x1.2fbcfd6d3a07ep-18);
    far = f_fma_f64(far, r, -0x1.4a349034ee281p-16);
    far = f_fma_f64(far, r, 0x1.3ebf4efb41405p-14);
    far = f_fma_f64(far, r, -0x1.c2f36aa17712fp-13);
    far = f_fma_f64(far, r, -0x1.22ea5df1cc9c4p-13);
    far = f_fma_f64(far, r, 0x1.02a30d1fba10bp+0);
    far = f_fma_f64(far, r, 0x1.3664ddd1ad7fbp+2);
    double y = x * (w < 6.25 ? near : w < 16.0 ? middle : far);
    return a == 1.0 ? f_copysign_f64((double)INFINITY, x) : y;
}

/* sin(pi x), from x less whole turns = n / 2 + r with |r| <= 1/4: exactly 0 at whole x. NaN for
 * infinite x. */
TOCHA_HD float f_sinpi_f32(float x) {
    float a = f_abs_f32(x);
    float c = a < 0x1p23f ? a : a - a;
    float b = c - 2.0f * (f_fma_f32(c, 0.5f, F_ROUND_F32) - F_ROUND_F32);
    float t = b + b + F_ROUND_F32;
    float r = f_fma_f32(t - F_ROUND_F32, -0.5f, b);
    float y = f_trig_pick_f32(f_bits_f32(t), (float)((double)r * 0x1.921fb54442d18p+1));
    return f_copysign_f32(1.0f, x) * y;
}
TOCHA_HD double f_sinpi_f64(double x) {
    double a = f_abs_f64(x);
    double c = a < 0x1p52 ? a : a - a;
    double b = c - 2.0 * (f_fma_f64(c, 0.5, F_ROUND_F64) - F_ROUND_F64);
    double t = b + b + F_ROUND_F64;
    double r = f_fma_f64(t - F_ROUND_F64, -0.5, b);
    FPairF64 angle = f_two_prod_f64(r, 0x1.921fb54442d18p+1);
    angle.lo = f_fma_f64(r, 0x1.1a62633145c07p-53, angle.lo);
    return f_copysign_f64(1.0, x) * f_trig_pick_f64(f_bits_f64(t), angle);
}

/* sin(pi x) / (pi x), 1 around 0; its zeros are positive. */
TOCHA_HD float f_sinc_f32(float x) {
    float y = f_sinpi_f32(x) / (x * 0x1.921fb6p+1f) + 0.0f;
    return f_abs_f32(x) < 0x1p-14f ? 1.0f : y;
}
TOCHA_HD double f_sinc_f64(double x) {
    double y = f_sinpi_f64(x) / (x * 0x1.921fb54442d18p+1) + 0.0;
    return f_abs_f64(x) < 0x1p-28 ? 1.0 : y;
}

/* Up to 8 a polynomial in x^2; beyond, e^a / sqrt(a) times one in 1/a, with half of the exponent
 * each before and after so that the product overflows no earlier than it must. */
TOCHA_HD double f_i0_f64(double x) {
    double a = f_abs_f64(x);
    double b = a < 8.0 ? a : 8.0, c = a < 8.0 ? 8.0 : a < 1500.0 ? a : 1500.0;
    double z = 0.25 * b * b, t = 16.0 / c - 1.0;
    double near = 0x1.294193ed7827p-80;
    near = f_fma_f64(near, z, 0x1.05433b1b32441p-73);
    near = f_fma_f64(near, z, 0x1.f72e4735e2d2fp-66);
    near = f_fma_f64(near, z, 0x1.401b06c070f1fp-58);
    near = f_fma_f64(near, z, 0x1.69fbf8016c6a9p-51);
    near = f_fma_f64(near, z, 0x1.55fceae2f697ap-44);
    near = f_fma_f64(near, z, 0x1.0b318351a4203p-37);
    near = f_fma_f64(near, z, 0x1.522a3bdea4416p-31);
    near = f_fma_f64(near, z, 0x1.522a448d1c138p-25);
    near = f_fma_f64(near, z, 0x1.02e85c00c634fp-19);
    near = f_fma_f64(near, z, 0x1.2345678a3b363p-14);
    near = f_fma_f64(near, z, 0x1.c71c71c70ef94p-10);
    near = f_fma_f64(near, z, 0x1.c71c71c71d358p-6);
    near = f_fma_f64(near, z, 0x1.fffffffffff45p-3);
    near = f_fma_f64(near, z, 0x1.0000000000004p+0);
    near = f_fma_f64(near, z, 0x1p+0);
    double far = -0x1.ada2c97f3fdddp-36;
    far = f_fma_f64(far, t, 0x1.90df137cc1a36p-34);
    far = f_fma_f64(far, t, 0x1.852f5d42d1ca3p-33);
    far = f_fma_f64(far, t, -0x1.650b3e7f898bp-31);
    far = f_fma_f64(far, t, -0x1.5be16a36a0dap-31);
    far = f_fma_f64(far, t, 0x1.295fc465ff477p-29);
    far = f_fma_f64(far, t, 0x1.ba2352eb42f2p-30);
    far = f_fma_f64(far, t, -0x1.3756a636aa04fp-28);
    far = f_fma_f64(far, t, -0x1.ece52144ada18p-29);
    far = f_fma_f64(far, t, 0x1.c034e59a2db9bp-28);
    far = f_fma_f64(far, t, 0x1.05248ba2f26ap-27);
    far = f_fma_f64(far, t, -0x1.58ce729fc478ap-28);
    far = f_fma_f64(far, t, -0x1.cd5da3da6b614p-27);
    far = f_fma_f64(far, t, -0x1.d72c8d3f0b6bcp-28);
    far = f_fma_f64(far, t, 0x1.03bcdeab408e2p-27);
    far = f_fma_f64(far, t, 0x1.7288379f891f7p-26);
    far = f_fma_f64(far, t, 0x1.51ccdc47b6c77p-25);
    far = f_fma_f64(far, t, 0x1.7d0cd4fd1f2b8p-24);
    far = f_fma_f64(far, t, 0x1.3f49ac32e14bfp-22);
    far = f_fma_f64(far, t, 0x1.8e513c6a21829p-20);
    far = f_fma_f64(far, t, 0x1.75e5ee702e57ap-17);
    far = f_fma_f64(far, t, 0x1.1daa72b5ccfadp-13);
    far = f_fma_f64(far, t, 0x1.b87969bb93bcbp-9);
    far = f_fma_f64(far, t, 0x1.9bd428ad249a5p-2);
    double half = f_exp_f64(0.5 * c);
    double beyond = half * (far / f_sqrt_f64(c)) * half;
    double y = a <= 8.0 ? near : beyond;
    return x != x ? x : y;
}
TOCHA_HD double f_special_i1_f64(double x) {
    double a = f_abs_f64(x);
    double b = a < 8.0 ? a : 8.0, c = a < 8.0 ? 8.0 : a < 1500.0 ? a : 1500.0;
    double z = 0.25 * b * b, t = 16.0 / c - 1.0;
    double near = 0x1.16bc17a036b2fp-77;
    near = f_fma_f64(near, z, 0x1.c9644eff0bafdp-71);
    near = f_fma_f64(near, z, 0x1.98bd48a59a129p-63);
    near = f_fma_f64(near, z, 0x1.e031f2b9145b3p-56);
    near = f_fma_f64(near, z, 0x1.f1b8681cc90c3p-49);
    near = f_fma_f64(near, z, 0x1.ab7c6ebf88594p-42);
    near = f_fma_f64(near, z, 0x1.2c97acda75e79p-35);
    near = f_fma_f64(near, z, 0x1.522a3cc360512p-29);
    near = f_fma_f64(near, z, 0x1.27e4fbe6ed8a7p-23);
    near = f_fma_f64(near, z, 0x1.845c8a03acf9dp-18);
    near = f_fma_f64(near, z, 0x1.6c16c16c96198p-13);
    near = f_fma_f64(near, z, 0x1.c71c71c7142d2p-9);
    near = f_fma_f64(near, z, 0x1.55555555559d4p-5);
    near = f_fma_f64(near, z, 0x1.fffffffffffc2p-3);
    near = f_fma_f64(near, z, 0x1.0000000000001p-1);
    double far = 0x1.8a72ab2fc6959p-36;
    far = f_fma_f64(far, t, -0x1.a1752f6235857p-34);
    far = f_fma_f64(far, t, -0x1.6612a100e112cp-33);
    far = f_fma_f64(far, t, 0x1.7455f3bd09231p-31);
    far = f_fma_f64(far, t, 0x1.42be4263f9ec5p-31);
    far = f_fma_f64(far, t, -0x1.36f288e187d2ep-29);
    far = f_fma_f64(far, t, -0x1.a250a944e85b4p-30);
    far = f_fma_f64(far, t, 0x1.475d4e2f2acfep-28);
    far = f_fma_f64(far, t, 0x1.e14768d6db225p-29);
    far = f_fma_f64(far, t, -0x1.dd37812c1dd72p-28);
    far = f_fma_f64(far, t, -0x1.0821c71098c2bp-27);
    far = f_fma_f64(far, t, 0x1.7ee7fbfb39f9p-28);
    far = f_fma_f64(far, t, 0x1.e2d0791db759ap-27);
    far = f_fma_f64(far, t, 0x1.d68fdf13b4f0fp-28);
    far = f_fma_f64(far, t, -0x1.21ba2485afab4p-27);
    far = f_fma_f64(far, t, -0x1.91e870dc073a7p-26);
    far = f_fma_f64(far, t, -0x1.727891f52aef6p-25);
    far = f_fma_f64(far, t, -0x1.ad8afba84040bp-24);
    far = f_fma_f64(far, t, -0x1.761383996deap-22);
    far = f_fma_f64(far, t, -0x1.ec8e127b73a3fp-20);
    far = f_fma_f64(far, t, -0x1.f89c2304c35d3p-17);
    far = f_fma_f64(far, t, -0x1.cbc54df1d28edp-13);
    far = f_fma_f64(far, t, -0x1.3f796198ee63dp-7);
    far = f_fma_f64(far, t, 0x1.8ebe783a8403p-2);
    double half = f_exp_f64(0.5 * c);
    double beyond = half * (far / f_sqrt_f64(c)) * half;
    double y = a <= 8.0 ? near * a : beyond;
    return x != x ? x : f_copysign_f64(y, x);
}
TOCHA_HD float f_i0_f32(float x) { return (float)f_i0_f64((double)x); }
TOCHA_HD float f_special_i1_f32(float x) { return (float)f_special_i1_f64((double)x); }

#endif
