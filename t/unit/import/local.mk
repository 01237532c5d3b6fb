# The unit tests of mod_acme/import/: a line a program.

import_tests = \
	%D%/test_import \
	%D%/test_import_store
import_tests_libs = t/unit/help/libhelp.a \
	mod_acme/import/libacme_import.la \
	mod_acme/store/libacme_store.la \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(import_tests)
$(import_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(import_flags) $(CMOCKA_CFLAGS)
$(import_tests): LDADD = $(call archives,$(import_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(import_tests): $(import_tests_libs)
