# usage: deploy.sh ENVIRONMENT VERSION     puts a version behind the environment's endpoint, and gives it all traffic
set -euo pipefail
endpoint=churn-$1 version=$2
deployment=v${version#v}
az ml online-deployment show --endpoint-name "$endpoint" --name "$deployment" 2> /dev/null || az ml online-deployment create \
  --endpoint-name "$endpoint" --name "$deployment" --set "environment.image=churn.azurecr.io/churn:$version"
az ml online-endpoint update --name "$endpoint" --traffic "$deployment=100"
