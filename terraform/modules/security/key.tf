# One customer key for what is stored and logged. Losing it loses the images: it is never deleted at once.

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  account   = data.aws_caller_identity.me.account_id
  region    = data.aws_region.here.name
  partition = data.aws_partition.here.partition
}

resource "aws_kms_key" "data" {
  description             = "${var.name}: images, database, disks, queues, logs"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesByIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "ServicesOfThisPortal"
        Effect    = "Allow"
        Principal = { Service = ["logs.${local.region}.amazonaws.com", "s3.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
      },
      {
        # A host of an auto-scaling group gets its encrypted disk from the service's own role.
        Sid       = "DisksOfScaledHosts"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "aws:PrincipalArn" = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/autoscaling.amazonaws.com/*" } }
      },
    ]
  })
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.name}-data"
  target_key_id = aws_kms_key.data.key_id
}
