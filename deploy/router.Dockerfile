# sglang-router as an image: `docker build --file deploy/router.Dockerfile --tag triage-sglang-router:0.3.2 .`
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/sglang-router
RUN ["python", "-m", "venv", ".venv"]
COPY requirements/router.txt ./
RUN [".venv/bin/python", "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", "router.txt"]

FROM ${PYTHON}
LABEL org.opencontainers.image.title="triage-sglang-router" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/sglang-router/.venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
COPY --from=build /opt/sglang-router /opt/sglang-router
USER 10003:10003
WORKDIR /tmp
EXPOSE 30001
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "sglang_router.launch_router"]
