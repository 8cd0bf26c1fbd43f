/* The public C interface: what only C can see. The library is not part of the engine's objects, so
 * its one source is compiled in here. */
#include "capi/capi.c"

#include "base_check.h"

static const char *said(void) { return tocha_error() ? tocha_error() : "no error"; }

static bool gradient(void) {
    const int64_t size[] = {2, 3};
    tocha_tensor *x = tocha_ones(size, 2, TOCHA_FLOAT64, TOCHA_CPU, true);
    tocha_tensor *y = tocha_exp(x);
    tocha_tensor *sum = tocha_sum(y, NULL, -1, false, TOCHA_NO_DTYPE);
    CHECK(fabs(tocha_item(sum) - 6 * exp(1)) < 1e-12, "%s", said());
    CHECK(tocha_backward(sum), "%s", said());
    tocha_tensor *grad = tocha_grad(x);
    double values[6] = {0};
    CHECK(tocha_to_data(grad, values, sizeof values), "%s", said());
    CHECK(fabs(values[5] - exp(1)) < 1e-12, "%s", said());
    CHECK(!tocha_to_data(grad, values, sizeof values - 1), "%s", said());
    tocha_clear_error();
    tocha_free(grad);
    tocha_free(sum);
    tocha_free(y);
    tocha_free(x);
    return true;
}

static bool errors(void) {
    const int64_t size[] = {2, 3};
    const float data[] = {1, 2, 3, 4, 5, 6};
    tocha_tensor *x = tocha_from_data(data, size, 2, TOCHA_FLOAT32);
    CHECK(tocha_size(x, -1) == 3 && tocha_numel(x) == 6, "%s", said());
    CHECK(!tocha_relu(tocha_matmul(x, x)), "%s", said());
    CHECK(tocha_error() && strstr(tocha_error(), "matmul: ") == tocha_error(), "%s", said());
    tocha_clear_error();
    CHECK(!tocha_relu(NULL) && tocha_error(), "%s", said());
    tocha_clear_error();
    CHECK(isnan(tocha_item(x)) && tocha_error(), "%s", said());
    tocha_clear_error();
    tocha_free(x);
    return true;
}

static bool complex_numbers(void) {
    const int64_t size[] = {2};
    tocha_tensor *z = tocha_full(size, 1, TOCHA_COMPLEX(1, -2), TOCHA_NO_DTYPE, TOCHA_CPU, false);
    tocha_tensor *sum = tocha_add(z, z, TOCHA_COMPLEX(0, 1));
    float parts[4] = {0};
    CHECK(tocha_to_data(sum, parts, sizeof parts), "%s", said());
    CHECK(parts[0] == 3 && parts[1] == -1, "%g%+gi", parts[0], parts[1]);
    CHECK(!tocha_full(size, 1, TOCHA_COMPLEX(1, 1), TOCHA_FLOAT32, TOCHA_CPU, false), "no error");
    tocha_clear_error();
    tocha_free(sum);
    tocha_free(z);
    return true;
}

static bool several_outputs(void) {
    const int64_t size[] = {3};
    const float data[] = {1, 7, 3};
    tocha_tensor *x = tocha_from_data(data, size, 1, TOCHA_FLOAT32), *out[2];
    CHECK(tocha_max__dim(x, 0, false, out), "%s", said());
    CHECK(tocha_item(out[0]) == 7 && tocha_item(out[1]) == 2, "%s", said());
    CHECK(tocha_mul_(x, out[0]) && tocha_item(out[0]) == 7, "%s", said());
    tocha_free(out[0]);
    tocha_free(out[1]);
    tocha_free(x);
    return true;
}

static bool nothing_is_left(void) {
    CHECK(tensor_live_count() == 0, "%lld", (long long)tensor_live_count());
    return true;
}

int main(void) {
    if (!tocha_init()) {
        return 1;
    }
    static const Case cases[] = {{"capi_gradient", gradient},
                                 {"capi_errors", errors},
                                 {"capi_complex_numbers", complex_numbers},
                                 {"capi_several_outputs", several_outputs},
                                 {"capi_leaves_nothing", nothing_is_left}};
    return RUN_CASES(cases);
}
