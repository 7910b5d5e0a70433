#ifndef ENTENTE_CSODIUM_SHIM_H
#define ENTENTE_CSODIUM_SHIM_H

#include <sodium/crypto_core_ristretto255.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ristretto255.h>

#endif
