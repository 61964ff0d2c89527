"""gunicorn for the ML tier: one process, because it holds the networks; threads, because OpenCV and TensorFlow
let go of the interpreter. More throughput is another host."""

wsgi_app = "ml_service.web:create_app()"
workers = 1
worker_class = "gthread"
threads = 32
timeout = 120  # seconds without a sign of life from the worker
graceful_timeout = 4  # shorter than the supervisor's patience
keepalive = 75
accesslog = None  # portal_wire logs each request as JSON
control_socket_disable = True  # it would lie in the home folder, shared by all portals of one account
