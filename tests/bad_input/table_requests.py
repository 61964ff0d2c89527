"""B74 to B96: model files, names, bodies and requests. Each is shown by a test that stands with what it is about."""

from tests.bad_input.case import Row

HERE = "tests/bad_input/test_requests.py"
REGISTRY = "tests/ml_service/test_registry.py"
BODIES, HEADERS, ROUTES = (f"tests/nginx/test_{name}.py" for name in ("bodies", "headers", "routes"))
SECURITY, SIGN_IN = "tests/ui_service/test_security.py", "tests/app_service/accounts/test_sign_in.py"
STUDIES = "tests/app_service/routes/test_studies.py"

ROWS: dict[str, Row] = {}
