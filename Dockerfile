# One packed model over HTTP, without PyTorch:
#   polytag pack MODEL -o news.polytag --precision int8
#   docker build --build-arg MODEL=news.polytag -t news .
#   docker run --rm -p 8000:8000 news
FROM python:3.11 AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY wheels/core wheels/core
COPY src src
ENV POLYTAG_CORE_REQUIRED=1
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY constraints.txt /tmp/
COPY --from=build /wheels /tmp/wheels
RUN wheel=$(ls /tmp/wheels/*.whl) \
    && pip install --no-cache-dir --constraint /tmp/constraints.txt "$wheel[serve,metrics]" \
    && rm -r /tmp/wheels /tmp/constraints.txt
ARG MODEL
COPY --chmod=444 ${MODEL} /models/model.polytag
USER 65534
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health')"]
ENTRYPOINT ["polytag", "serve"]
CMD ["/models/model.polytag", "--host", "0.0.0.0", "--port", "8000", "--threads", "1"]
