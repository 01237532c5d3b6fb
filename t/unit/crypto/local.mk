# The unit tests of mod_acme/crypto/: a line a program.

crypto_tests = \
	%D%/test_alpn_cert \
	%D%/test_cert_file \
	%D%/test_ciphers \
	%D%/test_digest \
	%D%/test_jws \
	%D%/test_key \
	%D%/test_peer_cert \
	%D%/test_pkcs12 \
	%D%/test_roots \
	%D%/test_x509
crypto_tests_libs = t/unit/help/libhelp.a \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(crypto_tests)
$(crypto_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(crypto_flags) $(CMOCKA_CFLAGS)
$(crypto_tests): LDADD = $(call archives,$(crypto_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(crypto_tests): $(crypto_tests_libs)
