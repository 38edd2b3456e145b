# For release, pin both images by digest, so that a rebuild of the same commit gives the same program:
#
#   docker buildx imagetools inspect gcr.io/distroless/nodejs24-debian13:nonroot --format '{{.Manifest.Digest}}'
#   docker build --build-arg BASE_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:<digest> --tag … .
#
# `npm run image` makes an image with the same layout on a Linux machine without Docker.
ARG BUILD_IMAGE=docker.io/library/node:24-trixie-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY hack ./hack
COPY src ./src
RUN npm run build

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title=evnode-operator \
      org.opencontainers.image.licenses=Apache-2.0
ENV NODE_ENV=production PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /app
COPY --from=build /source/dist/main.js /app/
COPY --from=build /source/dist/chunks/ /app/chunks/
COPY LICENSE /licenses/
COPY --from=build /source/dist/THIRD-PARTY-NOTICES.txt /licenses/
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size-percentage=75", "--max-semi-space-size=8", "/app/main.js"]
