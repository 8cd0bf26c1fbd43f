/* In the place of the driver, libcuda.so.1, for plans.c: takes the kernels that cuDNN has compiled
 * for a device that is not there. It has the functions that cuDNN 9 looks up; handles and numbers
 * that they give are of no use. cuInit fails, so that NVIDIA's other libraries see no driver. */

#define FUNCTION(name)                                     \
    __attribute__((visibility("default"))) int name(void); \
    int name(void) { return 0; }
#define GIVES(name, type, value)                                   \
    __attribute__((visibility("default"))) int name(type *result); \
    int name(type *result) {                                       \
        *result = (type)(value);                                   \
        return 0;                                                  \
    }

enum { HANDLE = 64, VERSION = 13000, NO_DEVICE = 100 };

int cuInit(unsigned flags) __attribute__((visibility("default")));
int cuInit(unsigned flags) {
    (void)flags;
    return NO_DEVICE;
}

GIVES(cuCtxGetCurrent, void *, HANDLE)
GIVES(cuCtxPopCurrent, void *, HANDLE)
GIVES(cuDevicePrimaryCtxRetain, void *, HANDLE)
GIVES(cuLibraryLoadData, void *, HANDLE)
GIVES(cuKernelGetFunction, void *, HANDLE)
GIVES(cuLibraryGetKernel, void *, HANDLE)
GIVES(cuModuleLoadData, void *, HANDLE)
GIVES(cuModuleLoadDataEx, void *, HANDLE)
GIVES(cuModuleLoadFatBinary, void *, HANDLE)
GIVES(cuModuleGetFunction, void *, HANDLE)
GIVES(cuCtxGetDevice, int, 0)
GIVES(cuDeviceGet, int, 0)
GIVES(cuDeviceGetAttribute, int, 0)
GIVES(cuDeviceGetCount, int, 1)
GIVES(cuDriverGetVersion, int, VERSION)
GIVES(cuFuncGetAttribute, int, 0)
GIVES(cuKernelGetAttribute, int, 0)
GIVES(cuOccupancyMaxActiveBlocksPerMultiprocessor, int, 1)
GIVES(cuOccupancyMaxPotentialClusterSize, int, 1)

FUNCTION(cuCtxGetLimit)
FUNCTION(cuCtxPushCurrent)
FUNCTION(cuDevicePrimaryCtxRelease)
FUNCTION(cuDevicePrimaryCtxReset)
FUNCTION(cuFuncSetAttribute)
FUNCTION(cuGetErrorName)
FUNCTION(cuGetErrorString)
FUNCTION(cuKernelSetAttribute)
FUNCTION(cuLaunchCooperativeKernel)
FUNCTION(cuLaunchKernel)
FUNCTION(cuLaunchKernelEx)
FUNCTION(cuLibraryLoadFromFile)
FUNCTION(cuLibraryUnload)
FUNCTION(cuLinkAddData)
FUNCTION(cuLinkAddData_v2)
FUNCTION(cuLinkAddFile_v2)
FUNCTION(cuLinkComplete)
FUNCTION(cuLinkCreate)
FUNCTION(cuLinkCreate_v2)
FUNCTION(cuLinkDestroy)
FUNCTION(cuMemcpyDtoH_v2)
FUNCTION(cuModuleGetGlobal_v2)
FUNCTION(cuModuleUnload)
FUNCTION(cuStreamGetCtx)
FUNCTION(cuStreamSynchronize)
FUNCTION(cuTensorMapEncodeTiled)
