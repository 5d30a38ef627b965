terraform {
  required_version = ">= 1.6"
  backend "s3" {
    bucket = "fraud-terraform-state"
    key    = "endpoint/terraform.tfstate"
    region = "eu-west-1"
  }
}

provider "aws" {
  region = "eu-west-1"
}

resource "aws_s3_bucket" "models" {
  bucket = "fraud-models-eu-west-1"
}

resource "aws_iam_role" "endpoint" {
  name = "fraud-endpoint"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }]
  })
}

output "endpoint" { value = "fraud-scoring" }
output "bucket" { value = aws_s3_bucket.models.bucket }
output "role" { value = aws_iam_role.endpoint.arn }
