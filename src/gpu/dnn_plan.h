#ifndef TOCHA_GPU_DNN_PLAN_H
#define TOCHA_GPU_DNN_PLAN_H
/* From a recorded graph to a plan that cuDNN can run. All of it happens under the lock of
 * dnn_enter(). */
#include "gpu/dnn.h"

enum { DNN_HEAD = 3 }; /* words in front of a record's attributes, and of an attribute's values */

/* What plans are made for: a device's handle, or a device that need not be there, by description
 * (tests/gpu/plans.c). */
typedef struct DnnTarget {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t described;
} DnnTarget;

typedef struct DnnPlan {
    cudnnBackendDescriptor_t plan;  /* NULL: there is none */
    cudnnBackendDescriptor_t *part; /* what it was made from, owned */
    int parts, size;                /* how many there are, and have room */
    int64_t workspace;              /* bytes */
    int engine;                     /* how many of those offered come before its own */
} DnnPlan;

/* The first plan, from engine number `from` of those offered on, that may be used under modes.
 * DNN_UNSUPPORTED: there is none. */
DnnResult dnn_plan_make(DnnPlan *p, const DnnTarget *t, const DnnGraph *g, int modes, int from);
/* The plan as text, of *bytes bytes, for the caller to free(), NULL where it has none; and a plan
 * made of such a text: false where it is none, or none for this device. */
char *dnn_plan_text(const DnnPlan *p, size_t *bytes);
bool dnn_plan_from_text(DnnPlan *p, const DnnTarget *t, const char *text, size_t bytes);
void dnn_plan_free(DnnPlan *p);
/* Runs it with the graph's data; the workspace has plan.workspace bytes. */
cudnnStatus_t dnn_plan_execute(const DnnPlan *p, cudnnHandle_t handle, const DnnGraph *g,
                               void *workspace);

/* A new descriptor and an attribute of it; *d is NULL where it could not be made. */
cudnnStatus_t dnn_create(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *d);
cudnnStatus_t dnn_attribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type, int64_t count, const void *values);
void dnn_destroy(cudnnBackendDescriptor_t d);

static inline bool dnn_unsupported(cudnnStatus_t status) {
    return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
}

#endif
