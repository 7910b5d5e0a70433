#ifndef ENTENTE_CICONV_SHIM_H
#define ENTENTE_CICONV_SHIM_H

#include <iconv.h>

// iconv_open reports failure as (iconv_t)-1, which Swift cannot compare with: an opaque pointer has no integer literals.
static inline iconv_t entente_iconv_open(const char *to, const char *from) {
    iconv_t handle = iconv_open(to, from);
    return handle == (iconv_t)-1 ? (iconv_t)0 : handle;
}

#endif
