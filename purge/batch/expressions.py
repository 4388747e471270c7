"""Expressions."""

from lifecycle.db.connection import Raw

#: how a row's own end and grace are read; an override reads them otherwise
OWN = {
    "due": Raw("lifecycle.finite_v1(due::timestamptz)"),
    "grace": Raw("make_interval(secs => extract(epoch FROM grace))"),  # a day is 24 hours
    "listed": Raw("'free'"),
}
#: what keeps a row where the conditions have names: of one expired by hand, not those named then
KEEP = {
    "keeps": Raw("keeps"),
    "keep": Raw("coalesce(NOT state.keeps <@ excepted.without, keep)"),
    "named": Raw(
        "(SELECT ARRAY(SELECT jsonb_array_elements_text(detail -> 'without')) FROM lifecycle_event"
        " WHERE id = event_id AND detail ? 'without')"
    ),
}
UNNAMED = {"keeps": Raw("NULL"), "keep": Raw("keep"), "named": Raw("NULL::text[]")}
