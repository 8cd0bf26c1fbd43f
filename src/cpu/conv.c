/* Convolution and its gradients: from tensors to dense buffers and back. */
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"

enum { RELU_COST = 10 };

static Ints shape_of(const View *v) { return (Ints){v->shape, v->dim}; }

typedef struct Buffers {
    ConvOperand a, b, bias, out;
} Buffers;

static bool buffers_open(Buffers *x, const KernelCall *c, const View *bias) {
    int dtype = conv_dtype(c->in[0].dtype);
    *x = (Buffers){0};
    return conv_read(&x->a, &c->in[0], dtype) && conv_read(&x->b, &c->in[1], dtype) &&
           (!bias || conv_read(&x->bias, bias, dtype)) && conv_write(&x->out, &c->out[0], dtype);
}

static bool buffers_close(Buffers *x, const KernelCall *c, bool ok) {
    if (ok) {
        conv_written(&x->out, &c->out[0]);
    }
    conv_release(&x->a);
    conv_release(&x->b);
    conv_release(&x->bias);
    conv_release(&x->out);
    return ok;
}

/* input and weight: the shapes of conv2d's own arguments. */
static bool plan_open(ConvPlan *p, const KernelCall *c, Ints input, Ints weight) {
    ConvShape s;
    return conv_shape(c->op, c->arg, input, weight, &s) &&
           conv_plan_open(p, c->name, &s, conv_dtype(c->in[0].dtype));
}

static bool cpu_conv(const KernelCall *c) {
    ConvPlan p;
    Buffers x;
    if (!plan_open(&p, c, shape_of(&c->in[0]), shape_of(&c->in[1]))) {
        return false;
    }
    bool ok = buffers_open(&x, c, &c->in[2]) &&
              conv_forward(&p, x.a.data, x.b.data, x.bias.data, x.out.data);
    conv_plan_close(&p);
    return buffers_close(&x, c, ok);
}

static bool cpu_conv_relu(const KernelCall *c) {
    if (!cpu_conv(c)) {
        return false;
    }
    const View *const operand[] = {&c->out[0], &c->out[0]};
    DenseOp op = {.loop = ew_tables()->unary[EW_RELU][ew_compute_dtype(c->out[0].dtype)],
                  .cost = RELU_COST,
                  .widen = true};
    dense_run(&op, operand, 1, 2);
    return true;
}

static bool cpu_conv_input_grad(const KernelCall *c) {
    ConvPlan p;
    Buffers x;
    if (!plan_open(&p, c, shape_of(&c->out[0]), shape_of(&c->in[1]))) {
        return false;
    }
    bool ok =
        buffers_open(&x, c, NULL) && conv_input_grad(&p, c->name, x.a.data, x.b.data, x.out.data);
    conv_plan_close(&p);
    return buffers_close(&x, c, ok);
}

static bool cpu_conv_weight_grad(const KernelCall *c) {
    ConvPlan p;
    Buffers x;
    if (!plan_open(&p, c, shape_of(&c->in[1]), shape_of(&c->out[0]))) {
        return false;
    }
    bool ok = buffers_open(&x, c, NULL) && conv_weight_grad(&p, x.a.data, x.b.data, x.out.data);
    conv_plan_close(&p);
    return buffers_close(&x, c, ok);
}

const KernelRow cpu_conv_rows[] = {{"conv1d", cpu_conv},
                                   {"conv2d", cpu_conv},
                                   {"conv3d", cpu_conv},
                                   {"conv_relu", cpu_conv_relu},
                                   {"conv_input_grad", cpu_conv_input_grad},
                                   {"conv_weight_grad", cpu_conv_weight_grad},
                                   {NULL, NULL}};
