"""The WSGI application a web server loads."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from athena_dash.core.embedded.supervisor import die_with_parent

# or a worker whose server was killed holds the port, and serves this version for ever
die_with_parent(signal.SIGTERM)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
application = get_wsgi_application()
