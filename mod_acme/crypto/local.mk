# crypto - all of OpenSSL but for the TLS of httpd.

in_crypto = -I$(srcdir)/%D%
crypto_flags = $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_crypto.la
%C%_libacme_crypto_la_CPPFLAGS = $(crypto_flags)
%C%_libacme_crypto_la_CFLAGS = $(hidden)
%C%_libacme_crypto_la_SOURCES = \
	%D%/acme_alpn_cert.c %D%/acme_alpn_cert.h \
	%D%/acme_cert_file.c %D%/acme_cert_file.h \
	%D%/acme_cert_info.c %D%/acme_cert_info.h \
	%D%/acme_chain.c %D%/acme_chain.h \
	%D%/acme_ciphers.c %D%/acme_ciphers.h \
	%D%/acme_cleanse.c %D%/acme_cleanse.h \
	%D%/acme_crl.c %D%/acme_crl.h \
	%D%/acme_csr.c %D%/acme_csr.h \
	%D%/acme_digest.c %D%/acme_digest.h \
	%D%/acme_export_format.c %D%/acme_export_format.h \
	%D%/acme_jwk_key.c %D%/acme_jwk_key.h \
	%D%/acme_jws.c %D%/acme_jws.h \
	%D%/acme_key.c %D%/acme_key.h \
	%D%/acme_no_x509.c %D%/acme_no_x509.h \
	%D%/acme_ocsp.c %D%/acme_ocsp.h \
	%D%/acme_openssl.c %D%/acme_openssl.h \
	%D%/acme_openssl_version.c %D%/acme_openssl_version.h \
	%D%/acme_pair.c %D%/acme_pair.h \
	%D%/acme_peer_cert.c %D%/acme_peer_cert.h \
	%D%/acme_pem.c %D%/acme_pem.h \
	%D%/acme_pkcs12.c %D%/acme_pkcs12.h \
	%D%/acme_public_key.c %D%/acme_public_key.h \
	%D%/acme_revoked.c %D%/acme_revoked.h \
	%D%/acme_roots.c %D%/acme_roots.h \
	%D%/acme_self_signed.c %D%/acme_self_signed.h
