# One image for every part: the web (the default command), the worker, the migration.

FROM node:22-slim AS pages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --require-hashes --retries 10 -r /tmp/requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOG_FORMAT=json \
    DATA_DIR=/data \
    PORT=8000 \
    WEB_WORKERS=2 \
    WEB_THREADS=4 \
    PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin account \
 && install -d -o account -g account /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
COPY --from=pages /app/node_modules node_modules
# The map index is built once, into the image; /data is where a volume or a tmpfs may be mounted.
RUN python -m compileall -q . && flask regions build && chown -R account:account /data
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=3)"]
# The counters' folder must exist and hold nothing of processes that have ended.
CMD ["sh", "-c", "rm -rf \"$PROMETHEUS_MULTIPROC_DIR\" && mkdir -p \"$PROMETHEUS_MULTIPROC_DIR\" && exec gunicorn 'wsgi:create_app()' --bind \"0.0.0.0:$PORT\" --worker-class gthread --workers \"$WEB_WORKERS\" --threads \"$WEB_THREADS\" --worker-tmp-dir /dev/shm --no-control-socket"]
