#ifndef ENTENTE_CZSTD_SHIM_H
#define ENTENTE_CZSTD_SHIM_H

#include <zstd.h>

#endif
