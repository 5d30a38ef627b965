# usage: split.sh ENVIRONMENT SALT ARMS     tells the router before the environment's endpoints which customers get what
set -euo pipefail
az appconfig kv set --name "churn-$1" --key split --value "$2 $3" --yes
