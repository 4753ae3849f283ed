# The server with its weights. `docker build -t streamer .`, then
#
#   docker run --rm --read-only --tmpfs /tmp --shm-size 512m --cap-drop ALL \
#       --security-opt no-new-privileges -p 127.0.0.1:8080:8080 streamer
#
# docker-compose.yml runs it so, together with what watches it.
#
# Streamer is MIT. The wheel of PyAV (BSD), which decodes recordings, brings FFmpeg with libx264 and
# libx265, which are GPL: pass the image on under their terms.

# The same release of Debian as the base image below: the environment is linked to its Python.
FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils ca-certificates python3-venv
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/streamer
# Everything comes as a wheel and with its hash, so nothing is compiled and nothing is resolved.
COPY requirements/image.lock requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/streamer/bin/pip install --require-hashes --only-binary=:all: -r requirements/image.lock
COPY pyproject.toml README.md LICENSE ./
COPY models ./models
COPY client ./client
COPY streamer ./streamer
# The repository, which knows the version, is not here: `docker build --build-arg VERSION=0.2.0 …`.
# The context that `make release` makes has it already.
ARG VERSION=0.dev0
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION \
    /opt/streamer/bin/pip install --no-deps --no-build-isolation .
# Pinned and verified by models/*/model.json. To mount weights instead, leave this out and run
# with `-v FOLDER:/models:ro`; see models/README.md. For others of the models there:
# `docker build --build-arg MODELS="moonshine-tiny-en silero-vad" …`.
ARG MODELS="moonshine-base-en moonshine-tiny-en silero-vad"
RUN --mount=type=cache,target=/root/.cache/pip \
    STREAMER_MODELS=/models /opt/streamer/bin/streamer models fetch $MODELS
# What serving never loads: tests, tools that make models, ONNX Runtime's library for programs in C,
# which its Python module contains too, and what only compilers and type checkers read.
RUN cd /opt/streamer/lib/python3*/site-packages \
    && rm -r onnxruntime/datasets onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
    && rm onnxruntime/capi/libonnxruntime.so.* \
    && rm -r numpy/f2py ../../../bin/f2py \
    && find numpy -type d -name tests -prune -exec rm -r {} + \
    && find . -type f \( -name '*.pyi' -o -name '*.py[xd]' -o -name '*.[ach]' \) ! -path '*/licenses/*' -delete
# Pygments colours source code, which the server and the client never show.
RUN /opt/streamer/bin/pip uninstall --yes setuptools setuptools-scm vcs-versioning pygments pip
# uvloop, PyAV and others come with what debuggers read, 43 MB. `make image-size` lists what is left.
RUN find /opt/streamer -name '*.so' ! -path '*.libs/*' -exec strip --strip-unneeded {} +

# Debian's Python and its libraries; no shell and no package manager. An image of the same name with
# the tag `debug` has a shell.
FROM gcr.io/distroless/python3-debian13
COPY --from=build /models /models
COPY --from=build /opt/streamer /opt/streamer
ENV PATH=/opt/streamer/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STREAMER_MODELS=/models \
    STREAMER_SERVER__HOST=0.0.0.0
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
# Liveness. Readiness, which loading a model takes a while to reach, is at /api/v1/ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; port = os.environ.get('STREAMER_SERVER__PORT', '8080'); urllib.request.urlopen(f'http://127.0.0.1:{port}/api/v1/health', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["streamer"]
