# What each tier's hosts may ask of AWS. A tier that is not in `wishes` may talk to Session Manager and write logs.

locals {
  arn = {
    studies = "arn:${local.partition}:s3:::${var.buckets.studies}"
    models  = "arn:${local.partition}:s3:::${var.buckets.models}"
    queue   = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-incoming"
    images  = "arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}/*"
    logs    = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${var.log_group_prefix}/*"
    config  = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${var.name}/*"
  }

  # Bound by the policies' Resource; keys by the service that they may be used through.
  every_host = [
    { Sid = "SessionManager", Effect = "Allow", Resource = "*", Action = [
      "ssm:UpdateInstanceInformation", "ssm:ListAssociations", "ssm:ListInstanceAssociations", "ssm:GetDocument", "ssm:DescribeDocument",
      "ssm:GetDeployablePatchSnapshotForInstance", "ssm:UpdateInstanceAssociationStatus", "ssm:PutInventory", "ssm:GetManifest",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
      "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
      "ec2messages:GetMessages", "ec2messages:SendReply",
    ] },
    { Sid = "OwnConfiguration", Effect = "Allow", Resource = local.arn.config, Action = ["ssm:GetParameter", "ssm:GetParameters"] },
    { Sid = "KeyOfConfiguration", Effect = "Allow", Resource = aws_kms_key.data.arn, Action = ["kms:Decrypt"], Condition = { StringEquals = { "kms:ViaService" = ["ssm.${local.region}.amazonaws.com"] } } },
    { Sid = "WriteLogs", Effect = "Allow", Resource = [local.arn.logs, "${local.arn.logs}:*"], Action = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"] },
    { Sid = "WriteMetrics", Effect = "Allow", Resource = "*", Action = ["cloudwatch:PutMetricData"], Condition = { StringLike = { "cloudwatch:namespace" = "Lightbox*" } } },
    { Sid = "PullImages", Effect = "Allow", Resource = local.arn.images, Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"] },
    { Sid = "SignInToEcr", Effect = "Allow", Resource = "*", Action = ["ecr:GetAuthorizationToken"] },
  ]

  wishes = {
    app = [
      { Sid = "StudiesByName", Effect = "Allow", Resource = local.arn.studies, Action = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"] },
      # Old versions too (LIGHTBOX_S3_VERSIONED): what is deleted is gone, although the bucket keeps versions.
      { Sid = "Studies", Effect = "Allow", Resource = "${local.arn.studies}/*", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] },
      { Sid = "Incoming", Effect = "Allow", Resource = local.arn.queue, Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"] },
      { Sid = "KeyOfStudies", Effect = "Allow", Resource = aws_kms_key.data.arn, Action = ["kms:Decrypt", "kms:GenerateDataKey"], Condition = { StringEquals = { "kms:ViaService" = ["s3.${local.region}.amazonaws.com", "sqs.${local.region}.amazonaws.com"] } } },
    ]
    ml = [
      { Sid = "ModelsByName", Effect = "Allow", Resource = local.arn.models, Action = ["s3:ListBucket", "s3:GetBucketLocation"] },
      { Sid = "Models", Effect = "Allow", Resource = "${local.arn.models}/*", Action = ["s3:GetObject"] },
      { Sid = "KeyOfModels", Effect = "Allow", Resource = aws_kms_key.data.arn, Action = ["kms:Decrypt"], Condition = { StringEquals = { "kms:ViaService" = ["s3.${local.region}.amazonaws.com"] } } },
    ]
    monitoring = [
      { Sid = "FindHosts", Effect = "Allow", Resource = "*", Action = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"] },
    ]
  }
  healthimaging = [for statement in [
    { Sid = "DicomResults", Effect = "Allow", Resource = "arn:${local.partition}:medical-imaging:${local.region}:${local.account}:datastore/${var.healthimaging_datastore}", Action = ["medical-imaging:StartDICOMImportJob", "medical-imaging:GetDICOMImportJob"] },
    { Sid = "HandTheRoleOver", Effect = "Allow", Resource = one(aws_iam_role.import[*].arn), Action = ["iam:PassRole"], Condition = { StringEquals = { "iam:PassedToService" = "medical-imaging.amazonaws.com" } } },
  ] : statement if local.with_healthimaging == 1]
  tiers = toset([for place, what in local.grouped : place if what.kind == "host"])
}

resource "aws_iam_role" "tier" {
  for_each = local.tiers
  name     = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "tier" {
  for_each = local.tiers
  name     = "what-${each.key}-needs"
  role     = aws_iam_role.tier[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = concat(local.every_host, lookup(local.wishes, each.key, []), [for statement in local.healthimaging : statement if each.key == "app"]) })
}

resource "aws_iam_instance_profile" "tier" {
  for_each = local.tiers
  name     = "${var.name}-${each.key}"
  role     = aws_iam_role.tier[each.key].name
}
