# usage: deploy.sh VERSION ARCHIVE INFRA     puts a version behind the endpoint that INFRA, Terraform's outputs, names
set -euo pipefail
version=$1 archive=$2 infra=$3
value() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["value"])' "$infra" "$1"; }
name=fraud-$version
data=s3://$(value bucket)/$version/model.tar.gz

aws s3 cp "$archive" "$data"
aws sagemaker describe-model --model-name "$name" 2> /dev/null || aws sagemaker create-model --model-name "$name" \
  --execution-role-arn "$(value role)" --primary-container "Image=sklearn:1.4,ModelDataUrl=$data"
aws sagemaker describe-endpoint-config --endpoint-config-name "$name" 2> /dev/null || aws sagemaker create-endpoint-config \
  --endpoint-config-name "$name" --production-variants "VariantName=all,ModelName=$name,InstanceType=ml.m5.large,InitialInstanceCount=1"
aws sagemaker update-endpoint --endpoint-name "$(value endpoint)" --endpoint-config-name "$name"
