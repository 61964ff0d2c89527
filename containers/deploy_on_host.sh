# Run on a host by Session Manager (terraform/modules/compute/deploy.tf) with TIER, LIGHTBOX_VERSION, LIGHTBOX_REGISTRY.
# Brings one tier to a version. When it is not healthy within five minutes, the former version comes back.
set -eu
cd /opt/lightbox
former=$(cat version 2>/dev/null || true)

up() { # version
  LIGHTBOX_VERSION=$1 docker compose --file compose.yml --file on_host.yml up --detach --no-deps --wait --wait-timeout 300 $services
}

case $TIER in
  app) services="intake app worker" ;;
  edge) services=nginx ;;
  *) services=$TIER ;;
esac
export LIGHTBOX_REGISTRY
region=$(echo "$LIGHTBOX_REGISTRY" | cut -d. -f4)
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "${LIGHTBOX_REGISTRY%%/*}"
LIGHTBOX_VERSION=$LIGHTBOX_VERSION docker compose --file compose.yml --file on_host.yml pull --quiet $services
if up "$LIGHTBOX_VERSION"; then
  echo "$LIGHTBOX_VERSION" >version
else
  echo "$TIER $LIGHTBOX_VERSION did not become healthy; ${former:-nothing} comes back" >&2
  [ -z "$former" ] || up "$former"
  exit 1
fi
