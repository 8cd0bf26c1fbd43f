#ifndef TOCHA_SETTINGS_H
#define TOCHA_SETTINGS_H
/* Settings of the whole process that backends look up (BackendHost.setting). */
#include "tensor/backend.h"

int64_t setting_get(int which);
void setting_set(int which, int64_t value);

#endif
