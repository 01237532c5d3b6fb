# Measured by t/bench/run and build/bench, which make them.

EXTRA_PROGRAMS = %D%/bench_board %D%/bench_keeper %D%/bench_live \
	%D%/bench_page %D%/bench_visit
CLEANFILES = $(EXTRA_PROGRAMS)

%C%_bench_board_SOURCES = %D%/bench_board.c %D%/bench.h
%C%_bench_board_CPPFLAGS = $(httpd_flags)
%C%_bench_board_LDADD = mod_acme/httpd/libacme_httpd.la $(floors) $(libraries)
%C%_bench_keeper_SOURCES = %D%/bench_keeper.c %D%/bench.h
%C%_bench_keeper_CPPFLAGS = $(keeper_flags)
%C%_bench_keeper_LDADD = $(floors) $(libraries)
%C%_bench_live_SOURCES = %D%/bench_live.c %D%/bench.h
%C%_bench_live_CPPFLAGS = $(httpd_flags)
%C%_bench_live_LDADD = mod_acme/httpd/libacme_httpd.la $(floors) $(libraries)
%C%_bench_page_SOURCES = %D%/bench_page.c %D%/bench.h
%C%_bench_page_CPPFLAGS = $(httpd_flags)
%C%_bench_page_LDADD = mod_acme/httpd/libacme_httpd.la $(floors) $(libraries)
%C%_bench_visit_SOURCES = %D%/bench_visit.c
%C%_bench_visit_CPPFLAGS = $(cppflags) -D_GNU_SOURCE
%C%_bench_visit_LDADD = $(libraries) -lpthread
