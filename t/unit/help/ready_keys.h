/*
 * ready_keys.h - keys that need not be made, which takes long for RSA.
 */
#ifndef READY_KEYS_H
#define READY_KEYS_H

/*
 * PEM of an RSA key of so many bits, of 2048 one of four in turn; NULL where
 * there is none. It is not freed.
 */
const char *ready_rsa(int bits);

/* PEM of a DSA key of 1024 bits. */
const char *ready_dsa(void);

#endif
