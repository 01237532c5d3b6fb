# The unit tests of mod_acme/store/: a line a program.

store_tests = \
	%D%/test_account_file \
	%D%/test_archive \
	%D%/test_file \
	%D%/test_journal \
	%D%/test_live_index \
	%D%/test_live_link \
	%D%/test_live_mend \
	%D%/test_outside \
	%D%/test_path \
	%D%/test_pending \
	%D%/test_store \
	%D%/test_sync \
	%D%/test_trials
store_tests_libs = t/unit/help/libhelp.a \
	mod_acme/store/libacme_store.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(store_tests)
$(store_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(store_flags) $(CMOCKA_CFLAGS)
$(store_tests): LDADD = $(call archives,$(store_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(store_tests): $(store_tests_libs)
