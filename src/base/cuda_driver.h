#ifndef TOCHA_BASE_CUDA_DRIVER_H
#define TOCHA_BASE_CUDA_DRIVER_H

/*
 * Asks the NVIDIA driver how many devices there are, without loading anything of CUDA besides the
 * driver itself: 0 with *why set to a sentence's end ("there is no NVIDIA driver ...") that lives
 * as long as the process. The question is asked once.
 */
int cuda_driver_devices(const char **why);

#endif
