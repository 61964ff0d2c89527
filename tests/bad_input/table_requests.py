"""B74 to B96: model files, names, bodies and requests. Each is shown by a test that stands with what it is about."""

from tests.bad_input.case import Row

HERE = "tests/bad_input/test_requests.py::test_"
TIMING = "tests/bad_input/test_timing.py::test_"
REGISTRY = "tests/ml_service/test_registry.py::test_"
BODIES, HEADERS, ROUTES = (f"tests/nginx/test_{name}.py::test_" for name in ("bodies", "headers", "routes"))
SECURITY, UI_SIGN_IN = "tests/ui_service/test_security.py::test_", "tests/ui_service/test_sign_in.py::test_"
SIGN_IN, SESSIONS = (f"tests/app_service/accounts/test_{name}.py::test_" for name in ("sign_in", "sessions"))
STUDIES, EVENTS = (f"tests/app_service/routes/test_{name}.py::test_" for name in ("studies", "events"))
DIRECT = "tests/app_service/test_direct.py::test_"
NO_CODE = "tests/structure/test_imports.py::test_nothing_that_runs_code_from_a_file_is_ever_loaded"


def shown(what: str, *tests: str) -> Row:
    return Row(what, elsewhere=tests)


ROWS = {
    "B74": shown("a model file that runs code", NO_CODE, f"{REGISTRY}a_missing_and_an_unlisted_file_are_noticed"),
    "B75": shown(
        "a model of which one bit is wrong, or a field is unknown",
        f"{REGISTRY}one_flipped_bit_is_noticed",
        f"{REGISTRY}an_unknown_field_is_noticed",
        f"{REGISTRY}no_model_at_all_is_not_ready",
    ),
    "B76": shown(
        "a model with the right sums and other answers",
        f"{REGISTRY}labels_in_another_order_are_noticed",
        f"{REGISTRY}another_answer_to_a_golden_image_is_noticed",
    ),
    "B77": shown("file names of every kind", f"{HERE}a_name_is_for_people_and_decides_nothing"),
    "B78": shown(
        "a patient's name as file name", "tests/end_to_end/test_canaries.py::test_nothing_that_names_a_patient_is_seen"
    ),
    "B79": shown("too large, and says so", f"{BODIES}an_upload_over_the_limit_is_refused"),
    "B80": shown("too large, in chunks", f"{BODIES}an_upload_over_the_limit_that_names_no_length_is_refused"),
    "B81": shown("4 GB announced", f"{BODIES}a_length_of_4_gb_is_refused_before_any_body"),
    "B82": shown("a gzipped request", f"{HERE}a_packed_body_is_not_unpacked"),
    "B83": shown("forms that are none", f"{HERE}a_form_that_is_none"),
    "B84": shown(
        "requests with two readings",
        f"{BODIES}a_request_with_two_readings_ends_at_the_edge",
        f"{BODIES}what_the_edge_reads_leniently_it_writes_anew",
    ),
    "B85": shown(
        "headers that claim to be somebody",
        f"{HEADERS}forged_headers_are_stripped_or_replaced",
        f"{HEADERS}a_header_with_underscores_is_no_way_round",
    ),
    "B86": shown(
        "another host, another address to go to",
        f"{ROUTES}a_foreign_host_is_turned_away",
        f"{ROUTES}an_absolute_address_counts_more_than_the_host_header",
        f"{UI_SIGN_IN}sign_in_never_leads_elsewhere",
        f"{SECURITY}a_foreign_host_name_is_refused",
    ),
    "B87": shown("an address to fetch", f"{HERE}an_address_instead_of_a_file_is_never_asked"),
    "B88": shown(
        "study ids that are none",
        f"{HERE}a_study_that_cannot_be_is_one_that_is_not_there",
        f"{TIMING}anothers_study_takes_as_long_as_none",
    ),
    "B89": shown(
        "forged forms",
        f"{SECURITY}a_request_from_elsewhere_is_refused",
        f"{SECURITY}without_any_origin_a_request_is_refused",
        f"{SECURITY}a_form_without_its_token_is_refused",
        f"{SECURITY}another_sessions_token_is_refused",
    ),
    "B90": shown(
        "GET that would change something",
        f"{HERE}looking_changes_nothing",
        "tests/ui_service/test_access.py::test_looking_changes_nothing",
    ),
    "B91": shown(
        "tokens that are none",
        f"{HERE}a_token_that_is_none",
        f"{HERE}a_token_in_a_cookie_opens_nothing_and_each_sign_in_makes_a_new_one",
        f"{SESSIONS}redis_knows_no_token",
    ),
    "B92": shown(
        "guessing passwords",
        f"{SIGN_IN}the_sixth_wrong_password_in_five_minutes_is_not_even_looked_at",
        f"{SIGN_IN}unknown_names_and_wrong_passwords_look_alike",
        f"{TIMING}an_unknown_name_takes_as_long_as_a_wrong_password",
        f"{HERE}a_password_of_a_megabyte_is_not_hashed",
    ),
    "B93": shown(
        "an Idempotency-Key again: equal requests at once wait for the one that wins",
        f"{STUDIES}the_same_request_with_the_same_key_makes_one_study",
        f"{STUDIES}a_key_stands_for_one_request_of_one_person",
        f"{STUDIES}equal_requests_at_the_same_time_make_one_study",
        f"{HERE}an_idempotency_key_of_300_characters",
    ),
    # The portal takes no upload in parts (tus): a broken one is sent again, under its key. What is large goes straight
    # to the bucket, and is held there to its size, owner, end and content.
    "B94": shown(
        "uploads in parts, and large ones past the portal",
        f"{HERE}an_upload_in_parts_is_refused",
        f"{DIRECT}nobody_else_completes_or_drops_it",
        f"{DIRECT}size_type_and_key_are_bound_into_the_signature",
        f"{DIRECT}what_nobody_completes_or_what_comes_late_is_thrown_away",
        f"{DIRECT}limits_hold_before_anything_travels",
        f"{DIRECT}the_sandbox_judges_what_arrived_like_any_other",
    ),
    "B95": shown("Last-Event-ID", f"{HERE}events_after_nonsense", f"{EVENTS}nobody_hears_of_anothers_jobs"),
    "B96": shown(
        "JSON that is none",
        f"{HERE}json_that_is_none",
        "tests/ml_service/test_protocol.py::test_what_is_no_request_is_refused",
    ),
}
